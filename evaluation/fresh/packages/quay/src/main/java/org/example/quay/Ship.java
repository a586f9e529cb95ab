package org.example.quay;

/** A ship that calls at the port. */
public interface Ship {
  String name();

  /** Metres from bow to stern. */
  int length();

  /** How long it stays, in hours. */
  long stay();
}

package org.example.freight;

/** What it costs to send a pack. */
public interface Tariff {

    /** Returns the price of a pack in cents. */
    long cents(Pack pack);
}

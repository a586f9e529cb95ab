package org.example.booking;

/** A room and what a night in it costs. */
public record Room(long id, String name, int beds, long nightCents) {}

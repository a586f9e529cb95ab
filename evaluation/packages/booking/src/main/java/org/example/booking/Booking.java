package org.example.booking;

/** A room that somebody has for some nights. */
public record Booking(long id, long roomId, String guest, Stay stay, long totalCents) {}

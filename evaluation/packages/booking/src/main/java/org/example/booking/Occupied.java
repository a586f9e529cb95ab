package org.example.booking;

/** Somebody else has the room. */
public class Occupied extends RuntimeException {

    public Occupied(long roomId, Stay stay) {
        super("room " + roomId + " is taken between " + stay.firstDay() + " and " + stay.lastDay());
    }
}

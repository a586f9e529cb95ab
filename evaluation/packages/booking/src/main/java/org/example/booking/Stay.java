package org.example.booking;

import java.time.LocalDate;
import java.time.temporal.ChronoUnit;

/** Days from the first one up to the last one, which is not part of it. */
public record Stay(LocalDate firstDay, LocalDate lastDay) {

    public Stay {
        if (!firstDay.isBefore(lastDay)) {
            throw new IllegalArgumentException("a stay has at least one night");
        }
    }

    public long nights() {
        return ChronoUnit.DAYS.between(firstDay, lastDay);
    }

    public boolean overlaps(Stay other) {
        return firstDay.isBefore(other.lastDay) && other.firstDay.isBefore(lastDay);
    }
}

package org.example.booking;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.LocalDate;
import org.junit.jupiter.api.Test;

class PricesTest {

    private static final Room ROOM = new Room(1, "Garden", 2, 10_000);

    @Test
    void sevenNightsCostLess() {
        LocalDate day = LocalDate.of(2026, 3, 2);
        assertEquals(60_000, Prices.total(ROOM, new Stay(day, day.plusDays(6))));
        assertEquals(63_000, Prices.total(ROOM, new Stay(day, day.plusDays(7))));
    }
}

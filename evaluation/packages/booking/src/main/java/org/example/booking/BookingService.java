package org.example.booking;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.NoSuchElementException;
import javax.sql.DataSource;

/** The rules of booking. */
public class BookingService {

    private final DataSource source;
    private final RoomRepository rooms;
    private final BookingRepository bookings;
    private final WaitingList waiting;

    public BookingService(
            DataSource source,
            RoomRepository rooms,
            BookingRepository bookings,
            WaitingList waiting) {
        this.source = source;
        this.rooms = rooms;
        this.bookings = bookings;
        this.waiting = waiting;
    }

    /** Books a room and returns the price in cents; throws Occupied if somebody has it. */
    public long book(long roomId, String guest, Stay stay) throws SQLException {
        Room room = rooms.find(roomId).orElseThrow(NoSuchElementException::new);
        long total = Prices.total(room, stay);
        inTransaction(
                connection -> {
                    for (Booking other : bookings.ofRoom(connection, roomId)) {
                        if (other.stay().overlaps(stay)) {
                            throw new Occupied(roomId, stay);
                        }
                    }
                    bookings.add(connection, roomId, guest, stay, total);
                });
        return total;
    }

    /** Gives a room back and lets the first who waits have it. */
    public void cancel(long bookingId, long roomId) throws SQLException {
        Room room = rooms.find(roomId).orElseThrow(NoSuchElementException::new);
        inTransaction(
                connection -> {
                    if (bookings.remove(connection, bookingId)) {
                        waiting.promote(connection, room);
                    }
                });
    }

    private interface Work {
        void run(Connection connection) throws SQLException;
    }

    private void inTransaction(Work work) throws SQLException {
        try (Connection connection = source.getConnection()) {
            connection.setAutoCommit(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            try {
                work.run(connection);
                connection.commit();
            } catch (SQLException | RuntimeException error) {
                connection.rollback();
                throw error;
            }
        }
    }
}

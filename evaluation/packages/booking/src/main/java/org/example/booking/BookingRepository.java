package org.example.booking;

import java.sql.Connection;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Bookings in the database; the caller has the transaction. */
public class BookingRepository {

    public List<Booking> ofRoom(Connection connection, long roomId) throws SQLException {
        String sql = "SELECT * FROM bookings WHERE room_id = ? ORDER BY first_day";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, roomId);
            try (ResultSet rows = statement.executeQuery()) {
                List<Booking> found = new ArrayList<>();
                while (rows.next()) {
                    found.add(read(rows));
                }
                return found;
            }
        }
    }

    public void add(Connection connection, long roomId, String guest, Stay stay, long totalCents)
            throws SQLException {
        String sql =
                "INSERT INTO bookings (room_id, guest, first_day, last_day, total_cents)"
                        + " VALUES (?, ?, ?, ?, ?)";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, roomId);
            statement.setString(2, guest);
            statement.setDate(3, Date.valueOf(stay.firstDay()));
            statement.setDate(4, Date.valueOf(stay.lastDay()));
            statement.setLong(5, totalCents);
            statement.executeUpdate();
        }
    }

    public boolean remove(Connection connection, long id) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("DELETE FROM bookings WHERE id = ?")) {
            statement.setLong(1, id);
            return statement.executeUpdate() == 1;
        }
    }

    private static Booking read(ResultSet rows) throws SQLException {
        Stay stay =
                new Stay(
                        rows.getDate("first_day").toLocalDate(),
                        rows.getDate("last_day").toLocalDate());
        return new Booking(
                rows.getLong("id"),
                rows.getLong("room_id"),
                rows.getString("guest"),
                stay,
                rows.getLong("total_cents"));
    }
}

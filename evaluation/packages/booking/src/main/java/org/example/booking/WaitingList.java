package org.example.booking;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Who gets a room when somebody gives it back. */
public class WaitingList {

    /** Moves the first who waits for a room that is free again to its bookings. */
    public boolean promote(Connection connection, Room room) throws SQLException {
        String sql =
                "SELECT * FROM waiting WHERE room_id = ? AND NOT EXISTS (SELECT 1 FROM bookings"
                        + " WHERE bookings.room_id = waiting.room_id"
                        + " AND bookings.first_day < waiting.last_day"
                        + " AND waiting.first_day < bookings.last_day) ORDER BY id LIMIT 1";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, room.id());
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    return false;
                }
                Stay stay =
                        new Stay(
                                rows.getDate("first_day").toLocalDate(),
                                rows.getDate("last_day").toLocalDate());
                move(connection, rows.getLong("id"), Prices.total(room, stay));
                return true;
            }
        }
    }

    private static void move(Connection connection, long id, long totalCents)
            throws SQLException {
        String copy =
                "INSERT INTO bookings (room_id, guest, first_day, last_day, total_cents)"
                        + " SELECT room_id, guest, first_day, last_day, ? FROM waiting WHERE id = ?";
        try (PreparedStatement statement = connection.prepareStatement(copy)) {
            statement.setLong(1, totalCents);
            statement.setLong(2, id);
            statement.executeUpdate();
        }
        try (PreparedStatement statement =
                connection.prepareStatement("DELETE FROM waiting WHERE id = ?")) {
            statement.setLong(1, id);
            statement.executeUpdate();
        }
    }
}

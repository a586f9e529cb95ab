package org.example.booking;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;

/** Rooms in the database. */
public class RoomRepository {

    private final DataSource source;

    public RoomRepository(DataSource source) {
        this.source = source;
    }

    public Optional<Room> find(long id) throws SQLException {
        String sql = "SELECT id, name, beds, night_cents FROM rooms WHERE id = ?";
        try (Connection connection = source.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, id);
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    return Optional.empty();
                }
                return Optional.of(
                        new Room(
                                rows.getLong("id"),
                                rows.getString("name"),
                                rows.getInt("beds"),
                                rows.getLong("night_cents")));
            }
        }
    }
}

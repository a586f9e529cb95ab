package org.example.freight;

/** A pack that somebody sends. */
public record Pack(String id, int grams, Size size, Address to) {

    public Pack {
        if (id.isBlank()) {
            throw new IllegalArgumentException("a pack needs an id");
        }
        if (grams < 1) {
            throw new IllegalArgumentException("a pack weighs at least 1 g");
        }
    }
}

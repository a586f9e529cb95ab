package org.example.freight;

/** Where something goes: a country of two letters, and a postcode in it. */
public record Address(String country, String postcode) {

    public static final String HOME = "NL";

    public boolean isAbroad() {
        return !country.equals(HOME);
    }
}

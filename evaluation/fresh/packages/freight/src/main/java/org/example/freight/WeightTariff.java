package org.example.freight;

/** A price for each kilogram that was begun. */
public record WeightTariff(long centsPerKilogram) implements Tariff {

    private static final int GRAMS = 1_000;

    @Override
    public long cents(Pack pack) {
        long kilograms = (pack.grams() + GRAMS - 1L) / GRAMS;
        return kilograms * centsPerKilogram;
    }
}

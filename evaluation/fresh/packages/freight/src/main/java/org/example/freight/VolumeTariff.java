package org.example.freight;

/** A price for each litre that was begun. */
public record VolumeTariff(long centsPerLitre) implements Tariff {

    @Override
    public long cents(Pack pack) {
        return (long) Math.ceil(pack.size().litres()) * centsPerLitre;
    }
}

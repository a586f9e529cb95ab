package org.example.freight;

/** Another tariff, and a fixed amount on it for packs that leave the country. */
public record AbroadTariff(Tariff inside, long extraCents) implements Tariff {

    @Override
    public long cents(Pack pack) {
        return inside.cents(pack) + (pack.to().isAbroad() ? extraCents : 0);
    }
}

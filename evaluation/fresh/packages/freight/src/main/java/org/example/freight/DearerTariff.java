package org.example.freight;

import java.util.List;

/** The highest price of several tariffs. */
public record DearerTariff(List<Tariff> tariffs) implements Tariff {

    public DearerTariff {
        if (tariffs.isEmpty()) {
            throw new IllegalArgumentException("at least one tariff");
        }
        tariffs = List.copyOf(tariffs);
    }

    @Override
    public long cents(Pack pack) {
        return tariffs.stream().mapToLong(one -> one.cents(pack)).max().orElseThrow();
    }
}

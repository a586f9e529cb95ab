package org.example.freight;

import java.util.List;
import java.util.LongSummaryStatistics;

/** Figures about packs. */
public record Totals(long count, long grams, long cents) {

    /** Returns how many some packs are, what they weigh and what they cost. */
    public static Totals of(List<Pack> packs, Tariff tariff) {
        LongSummaryStatistics prices =
                packs.stream().mapToLong(tariff::cents).summaryStatistics();
        long grams = packs.stream().mapToLong(Pack::grams).sum();
        return new Totals(prices.getCount(), grams, prices.getSum());
    }
}

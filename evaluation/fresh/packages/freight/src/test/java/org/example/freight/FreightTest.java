package org.example.freight;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Run as a program: ends with a stack trace if something is not as it should be. */
public final class FreightTest {

    private static final Size SHOEBOX = new Size(330, 190, 120);

    private static int checked;

    private FreightTest() {}

    public static void main(String[] args) {
        linesComeIn();
        whatIsOverTheLimitsStaysOut();
        pricesAreTheHighest();
        labelsAreForMachines();
        packsAreSorted();
        vansAreLoaded();
        declarationsAndTotals();
        eventsAreKept();
        System.out.println(checked + " checks");
    }

    private static void linesComeIn() {
        Depot depot = new Depot(Limits.STANDARD);
        Intake.Taken taken =
                new Intake(depot)
                        .take(List.of("a1;900;330;190;120;NL;1011AB", "a1;1;1;1;1;NL;1011AB", "x"));
        same(1, taken.stored());
        same(
                List.of("a1;1;1;1;1;NL;1011AB: here already", "x: a pack has 7 fields"),
                taken.refused());
        same(List.of(pack("a1", 900, "NL", "1011AB")), depot.packs());
        same("a1", depot.release("a1").orElseThrow().id());
        same(true, depot.release("a1").isEmpty());
    }

    private static void whatIsOverTheLimitsStaysOut() {
        Depot depot = new Depot(new Limits(1_000, 400));
        Intake.Taken taken =
                new Intake(depot)
                        .take(
                                List.of(
                                        "ok;1000;400;1;1;NL;1011AB",
                                        "heavy;1001;1;1;1;NL;1011AB",
                                        "long;1;1;401;1;NL;1011AB"));
        same(
                List.of(
                        "heavy;1001;1;1;1;NL;1011AB: heavier than 1000 g",
                        "long;1;1;401;1;NL;1011AB: longer than 400 mm"),
                taken.refused());
        same(1, depot.packs().size());
    }

    private static void pricesAreTheHighest() {
        Tariff inside =
                new DearerTariff(List.of(new WeightTariff(250), new VolumeTariff(60)));
        same(480L, inside.cents(pack("a", 900, "NL", "1011AB")));
        same(750L, inside.cents(pack("a", 2_001, "NL", "1011AB")));
        same(1_250L, new AbroadTariff(inside, 500).cents(pack("a", 2_001, "DE", "10115")));
    }

    private static void labelsAreForMachines() {
        same("PACK a%nDE-10115%n900 G".formatted(), Label.of(pack("a", 900, "DE", "10115")));
    }

    private static void packsAreSorted() {
        Pack near = pack("a", 1, "NL", "1011AB");
        Pack far = pack("b", 1, "DE", "10115");
        Pack odd = pack("c", 1, "NL", "9");
        Map<String, List<Pack>> cages = Sorting.cages(List.of(near, far, odd));
        same(Map.of("10", List.of(near), "9", List.of(odd), "DE", List.of(far)), cages);
        same(List.of("10", "9", "DE"), List.copyOf(cages.keySet()));
    }

    private static void vansAreLoaded() {
        Van van = new Van(1_000);
        Pack small = pack("a", 300, "NL", "1011AB");
        Pack big = pack("b", 700, "NL", "1012AB");
        Pack rest = pack("c", 1, "NL", "1013AB");
        same(List.of(rest), Loading.load(List.of(small, big, rest), List.of(van)));
        same("b 1012AB\na 1011AB\n2 packs, 1000 g", Manifest.of(van));
    }

    private static void declarationsAndTotals() {
        Pack home = pack("a", 300, "NL", "1011AB");
        Pack away = pack("b", 700, "GB", "N1");
        same(List.of(away), Customs.toDeclare(List.of(home, away)));
        same(new Totals(2, 1_000, 500), Totals.of(List.of(home, away), new WeightTariff(250)));
    }

    private static void eventsAreKept() {
        Tracking tracking = new Tracking();
        Instant at = Instant.parse("2026-03-02T10:00:00Z");
        tracking.note(pack("a", 1, "NL", "1011AB"), at, "in");
        same(List.of(new Tracking.Event(at, "in")), tracking.of("a"));
        same(List.of(), tracking.of("b"));
    }

    private static Pack pack(String id, int grams, String country, String postcode) {
        return new Pack(id, grams, SHOEBOX, new Address(country, postcode));
    }

    private static void same(Object wanted, Object got) {
        checked++;
        if (!Objects.equals(wanted, got)) {
            throw new AssertionError("wanted " + wanted + ", got " + got);
        }
    }
}

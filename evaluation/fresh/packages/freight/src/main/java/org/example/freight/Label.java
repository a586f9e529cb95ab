package org.example.freight;

/** The label that is stuck on a pack. */
public final class Label {

    private Label() {}

    /** Returns the lines of a label, as the machines of the hubs read them. */
    public static String of(Pack pack) {
        return "PACK %s%n%s-%s%n%d G"
                .formatted(pack.id(), pack.to().country(), pack.to().postcode(), pack.grams());
    }
}

"""The review job: finders over the spans of a change, joined by program."""

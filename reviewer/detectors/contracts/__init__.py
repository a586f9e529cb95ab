"""Finds what a change breaks in files that it does not touch: names gone, calls that no longer fit.

`detector` runs it, `differences` says what changed of each file's contract, `views` and `trees`
read the two ends, one binder for each language (`python`, `javascript`, `golang`, `java`, `ruby`)
says what a use is certainly bound to, `fits` whether a call fits, `wording` says it.
"""

"""How an account is shared out among children: to as many at a time as it can fund in comfort.

A child whose share covers little more than one worst case has to end after one reply, although
calls rarely cost a fifth of their worst case. So a wave of children is funded well, and what they
leave funds the next wave. Shares are fixed before a wave starts and follow sizes alone: the same
replies give the same shares, whatever the timing.
"""

from collections.abc import Sequence

from reviewer.rlm.budget import Amount, Limit

ROUNDING = 1e-9
"""What stays back of the part that goes by weight: sums of floats differ in the last digits, and
thousands of shares must not come to more than there is."""


def wave(left: Limit, needs: Sequence[Amount], weights: Sequence[int]) -> list[Limit]:
    """Return the shares of the next children, in order: as many as `left` funds, at least one.

    Each gets what it needs to work in comfort, and its part by weight of what is then over. With
    money for all there is one wave; with too little for one, that one gets everything.
    """
    funded, count = needs[0], 1
    while count < len(needs) and left.admits(funded + needs[count]):
        funded += needs[count]
        count += 1
    if not left.admits(funded):
        return [left]
    over, total = left.left(funded), sum(weights[:count]) * (1 + ROUNDING)
    return [
        over.just(need).plus(over.share(weight / total))
        for need, weight in zip(needs[:count], weights[:count], strict=True)
    ]

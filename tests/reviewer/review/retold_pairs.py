"""What readers said in two runs: one defect in other words, and two defects of one line. No test
of its own: pairs of titles and reasons."""

Claim = tuple[str, str]

ONE: list[tuple[Claim, Claim]] = [
    (
        (
            "Off-by-one drops the last page",
            "`range(1, pages)` ends before `pages`, so the last page is never fetched when there are two or more.",
        ),
        (
            "The last page is never fetched",
            "The loop runs over `range(1, pages)`, which excludes `pages`: with pages = 3 only pages 1 and 2 are fetched.",
        ),
    ),
    (
        (
            "A refund that times out is sent again, without a key",
            "`gateway.send` may have moved the money before `Timeout` is raised. The loop then sends it again, and nothing tells the gateway that it is the same refund.",
        ),
        (
            "Retried refund can pay the customer twice",
            "After a `Timeout` the loop calls `gateway.send` again without an idempotency key; if the first call moved the money, the gateway sends the refund a second time.",
        ),
    ),
    (
        (
            "`user` may be None when the session has expired",
            "`load_user` returns None for an expired session, and `user.name` then raises AttributeError.",
        ),
        (
            "AttributeError for expired sessions",
            "`user.name` is read without a check, but `load_user` returns None when the session expired, so the page fails with AttributeError.",
        ),
    ),
    (
        (
            "File handle is leaked when parsing fails",
            "`open` is called without `with`; if `json.load` raises, the file is never closed.",
        ),
        (
            "The file is not closed if `json.load` raises",
            "When parsing fails the handle returned by `open` stays open, because there is neither `with` nor `finally`.",
        ),
    ),
    (
        (
            "SQL injection through `name`",
            "`name` comes from the query string and is put into the statement by an f-string, so a caller can run any SQL.",
        ),
        (
            "User input is concatenated into the SQL statement",
            "The f-string builds the statement from `name`, which comes straight from the query string; a caller can inject SQL.",
        ),
    ),
    (
        (
            "Cache is read outside of the lock",
            "`_cache` is checked before `with self._lock`, so two threads can both miss and compute the value twice.",
        ),
        (
            "Race: two threads can both miss the cache",
            "The check of `_cache` happens before the lock is taken, so both threads compute the value.",
        ),
    ),
    (
        (
            "Discount is applied before tax instead of after",
            "`total` multiplies the tax in first and then subtracts the discount, so a 10% discount on 100 with 20% tax is 110, not 108.",
        ),
        (
            "Wrong order of tax and discount",
            "The discount is subtracted after the tax has been multiplied in: with 20% tax and a 10% discount, `total(100)` is 110 instead of 108.",
        ),
    ),
    (
        (
            "Timeout is given in milliseconds, the client takes seconds",
            "`Client(timeout=5000)` waits 5000 seconds: the constant is in milliseconds, and `httpx` takes seconds.",
        ),
        (
            "Client waits 5000 seconds",
            "`httpx` takes its timeout in seconds, but `TIMEOUT` is in milliseconds, so a dead server hangs the caller for more than an hour.",
        ),
    ),
    (
        (
            "Discount is taken off before tax instead of after",
            "`total` subtracts the discount first and multiplies the tax in then, so the customer pays the wrong sum.",
        ),
        (
            "`total` takes the discount off before tax",
            "The discount has to be subtracted after the tax was multiplied in; now the customer pays the wrong sum.",
        ),
    ),
    (
        (
            "Division by zero when nothing was sold",
            "`sum(sold) / len(sold)` raises ZeroDivisionError when `sold` is empty.",
        ),
        (
            "An empty list of sales makes the mean fail",
            "`sold` is empty on such a day: `len(sold)` is 0, and the division raises ZeroDivisionError.",
        ),
    ),
]
"""The same cause each."""

TWO: list[tuple[Claim, Claim]] = [
    (
        (
            "`user` may be None when the session has expired",
            "`load_user` returns None for an expired session, and `user.name` then raises AttributeError.",
        ),
        (
            "Any user can delete the account of another user",
            "The handler compares nothing: `user.id` is taken from the request, so a logged-in user can pass the id of somebody else.",
        ),
    ),
    (
        (
            "Missing null check on `user`",
            "`user` is None for guests, so `user.name` raises AttributeError.",
        ),
        (
            "Missing null check on `order`",
            "`order` is None for an empty cart, so `order.total` raises AttributeError.",
        ),
    ),
    (
        (
            "Missing null check on `user`",
            "`user` is None for guests, so `user.name` raises AttributeError.",
        ),
        (
            "Missing permission check on `user`",
            "Nothing checks that the caller may read `user`, so a guest sees the e-mail address of everybody.",
        ),
    ),
    (
        (
            "Missing null check on `user`",
            "`user` is None for guests, so `user.name` raises AttributeError.",
        ),
        (
            "Missing length check on `user`",
            "A `user` name of more than 64 characters is cut by the database without an error, so two names can collide.",
        ),
    ),
    (
        (
            "Off-by-one drops the last page",
            "`range(1, pages)` ends before `pages`, so the last page is never fetched when there are two or more.",
        ),
        (
            "Pages are fetched one after the other",
            "Each call waits for the one before; with 200 pages the request takes a minute, where it was parallel before.",
        ),
    ),
    (
        (
            "File handle is leaked when parsing fails",
            "`open` is called without `with`; if `json.load` raises, the file is never closed.",
        ),
        (
            "File is opened with the encoding of the platform",
            "`open` has no `encoding`, so on Windows a file with umlauts raises UnicodeDecodeError or is read as garbage.",
        ),
    ),
    (
        (
            "SQL injection through `name`",
            "`name` comes from the query string and is put into the statement by an f-string, so a caller can run any SQL.",
        ),
        (
            "Lookup by `name` scans the whole table",
            "There is no index on `name`, so each request reads all rows; with a million users it takes seconds.",
        ),
    ),
    (
        (
            "Cache is read outside of the lock",
            "`_cache` is checked before `with self._lock`, so two threads can both miss and compute the value twice.",
        ),
        (
            "Cache is never cleared",
            "`_cache` grows with each key and nothing removes entries, so the process runs out of memory after some days.",
        ),
    ),
    (
        (
            "Discount is applied before tax instead of after",
            "`total` multiplies the tax in first and then subtracts the discount.",
        ),
        (
            "Discount may be larger than the total",
            "`total` subtracts the discount without a lower bound, so a voucher of 50 on an order of 30 makes the total negative.",
        ),
    ),
    (
        (
            "A refund that times out is sent again, without a key",
            "`gateway.send` may have moved the money before `Timeout` is raised. The loop then sends it again, and nothing tells the gateway that it is the same refund.",
        ),
        (
            "A refund in another currency is sent as euros",
            "`gateway.send` takes the amount alone, and the currency of the order is dropped; 20 dollars are refunded as 20 euros.",
        ),
    ),
    (
        (
            "Return value of `save` is ignored",
            "`save` returns False when the disk is full; the caller goes on and reports success.",
        ),
        (
            "`save` is called with its arguments swapped",
            "`save(path, data)` gets the data first, so it tries to open a file named by the contents.",
        ),
    ),
    (
        (
            "Division by zero for an empty list",
            "`sum(xs) / len(xs)` raises ZeroDivisionError when `xs` is empty.",
        ),
        (
            "Mean of integers is rounded",
            "`sum(xs) // len(xs)` divides as integers for `xs` of ints, so the mean of 1 and 2 is 1.",
        ),
    ),
    (
        (
            "`timeout` is ignored by `fetch`",
            "A caller who passes `timeout` to `fetch` gets the default of the session, because `fetch` never hands it on to `send`.",
        ),
        (
            "`retries` is ignored by `fetch`",
            "A caller who passes `retries` to `fetch` gets the default of the session, because `fetch` never hands it on to `send`.",
        ),
    ),
    (
        (
            "`total` subtracts the discount before tax",
            "The discount is taken off before tax instead of after it, so the customer pays the wrong sum.",
        ),
        (
            "`total` subtracts the discount after tax",
            "The discount is taken off after tax instead of before it, so the customer pays the wrong sum.",
        ),
    ),
    (
        (
            "`page` is off by one at the start",
            "`page(1)` skips the first row, since the offset is computed with `number * size`.",
        ),
        (
            "`page` is off by one at the end",
            "`page` drops the last row, since the limit is computed with `size - 1`.",
        ),
    ),
    (
        (
            "`limit` may be 0",
            "`limit` of 0 makes `chunks` divide by zero.",
        ),
        (
            "`limit` may be None",
            "`limit` of None makes `chunks` raise TypeError.",
        ),
    ),
]
"""Two causes each, on the same lines."""

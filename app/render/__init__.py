"""A `Review` as text, Markdown, JSON, SARIF or HTML: pure functions from value to string."""

"""Language models behind one Protocol: see `reviewer.model.base`."""

"""The fake GitHub: a state model behind real HTTP, and the contract it keeps."""

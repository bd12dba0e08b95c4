"""Images in: the dialogue that says what comes in, before anything is done."""

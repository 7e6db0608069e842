"""The flows, one module each; every one reads like the sentence that describes it."""

"""The gate before the training set: a policy, rules that state it, and a verdict on every label.

Importing this package, its policy, its verdicts or its report is cheap; `expectations.gate` imports
Great Expectations, which takes seconds.
"""

"""A year of three vendors, drawn from a seed: to try reports on, and to test them.

What was agreed (`agreed`), how the year goes and who is at fault (`course`), and the rows of the
catalogue that say so (`rows`). What is planted is known, so that what is found can be compared.
"""

from workforce.sample_year.agreed import VENDORS
from workforce.sample_year.course import SampleYear
from workforce.sample_year.rows import written

__all__ = ["VENDORS", "SampleYear", "written"]

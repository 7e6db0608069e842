"""Who is asked what: planned questions given to vendors within capacity, money and dates."""

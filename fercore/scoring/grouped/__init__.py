"""The same questions of a group of seeds as of one run; of one seed, the same answers."""

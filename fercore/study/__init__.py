"""Studies: declared tables of trainings that differ in one named factor."""

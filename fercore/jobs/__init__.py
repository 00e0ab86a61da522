"""Trainings from a request to a run, each in a process of its own; `jobs.start` begins one."""

from fercore.jobs.processes import (
    Estimate,
    Job,
    cancel,
    discard,
    estimate,
    find_job,
    keep_best,
    list_jobs,
    resume,
    spare_threads,
    start,
    unreadable_jobs,
)

__all__ = [
    "Estimate",
    "Job",
    "cancel",
    "discard",
    "estimate",
    "find_job",
    "keep_best",
    "list_jobs",
    "resume",
    "spare_threads",
    "start",
    "unreadable_jobs",
]

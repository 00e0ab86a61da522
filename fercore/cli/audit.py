"""`fercore audit`: what is wrong with the dataset, in numbers."""

from dataclasses import fields

import pandas as pd

from fercore.analysis.audit import ALL, Audit, near_across, near_duplicates
from fercore.analysis.audit import audit as audit_faces
from fercore.analysis.neighbours import NEAR_DUPLICATE
from fercore.cli.data import load_with_progress
from fercore.cli.options import AsJson, DataOption
from fercore.cli.output import json_records, print_json, print_table
from fercore.data.votes import OTHER_ROWS, votes_for
from fercore.labels import CLASSES, USAGES
from fercore.wording import count, in_percent


def audit(data: DataOption = None, as_json: AsJson = False) -> None:
    """Count the dataset's duplicates, near duplicates, constant images and disputed labels."""
    faces = load_with_progress(data)
    votes = votes_for(faces.name, faces.row, faces.usage)
    found = audit_faces(faces, votes)
    near = near_duplicates(faces)
    if as_json:
        print_json(_plain(found) | {"near": json_records(near)})
        return
    print(f"{faces.name}, {count(len(faces))} images")
    print_table(["", *CLASSES, "all"], found.counts.to_numpy().tolist())
    print(
        f"\nExact copies: {count(len(found.groups))} groups of pixel-identical images, "
        f"{count(found.surplus)} rows beyond the first of their group; {count(found.conflicting)} "
        "groups carry conflicting labels. Images whose pixels occur again in:"
    )
    print_table(["", *USAGES], found.across.to_numpy().tolist())
    print(f"\nNear duplicates in an earlier usage (correlation of thumbnails {NEAR_DUPLICATE} up):")
    for line in near_across(near).to_dict("records"):
        print(f"{line['usage']} images like one in {line['other_usage']}: {count(line['images'])}")
    print(f"\nConstant images: {count(len(found.constant))}")
    if found.agreement is not None and found.not_a_face is not None:
        _print_votes(found.agreement, found.not_a_face)
    elif faces.is_fer2013():
        print(f"\n{OTHER_ROWS}")


def _print_votes(agreement: pd.DataFrame, not_a_face: pd.DataFrame) -> None:
    kinds = {
        "share": "that no other category got more of FER+'s votes than (plurality or tie)",
        "majority_share": "that got more than half of FER+'s votes",
    }
    for column, what in kinds.items():
        print(f"\nShare of labels {what}, %:")
        shares = agreement.pivot(index="usage", columns="class", values=column)
        shares = shares.reindex(index=USAGES, columns=[*CLASSES, ALL])
        lines = zip(USAGES, shares.to_numpy())
        print_table(["", *CLASSES, ALL], [[usage, *map(in_percent, of)] for usage, of in lines])
    images = [f"{usage} {count(n)}" for usage, n in not_a_face[["usage", "images"]].to_numpy()]
    print(f"Not a face, by FER+'s plurality: {', '.join(images)}")


def _plain(found: Audit) -> dict[str, object]:
    tables = {
        field.name: None if (table := getattr(found, field.name)) is None else json_records(table)
        for field in fields(found)
    }
    return tables | {"surplus": found.surplus, "conflicting": found.conflicting}

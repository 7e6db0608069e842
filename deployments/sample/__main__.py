"""``python -m deployments.sample DIR``: write a sample, and a sheet of its products to look at."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image, ImageOps

from . import LOCALES, write

TILE = 192


def contact_sheet(manifest: Path, columns: int = 8) -> Image.Image:
    """The labelled pictures of ``manifest``, in its order, ``columns`` to a row."""
    with manifest.open(newline="", encoding="utf-8") as rows:
        files = [manifest.parent / row["uri"] for row in csv.DictReader(rows)]
    sheet = Image.new("RGB", (columns * TILE, -(-len(files) // columns) * TILE), "white")
    for index, file in enumerate(files):
        with Image.open(file) as opened:
            picture = ImageOps.contain(ImageOps.exif_transpose(opened), (TILE, TILE))
        sheet.paste(picture, (index % columns * TILE, index // columns * TILE))
    return sheet


def main(
    directory: Path,
    seed: int = 0,
    locales: Annotated[str, typer.Option(help="Locales, separated by commas.")] = ",".join(LOCALES),
    labelled_products: Annotated[int, typer.Option(help="Labelled products per locale.")] = 10,
    new_products: Annotated[int, typer.Option(help="New products per locale and round.")] = 8,
    images_per_product: Annotated[int, typer.Option(help="Pictures per product, about.")] = 8,
    rounds: Annotated[int, typer.Option(help="Rounds of unlabelled pictures.")] = 2,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet (PNG) here.")] = None,
) -> None:
    """Write a sample of product photos into DIRECTORY."""
    sample = write(
        directory,
        locales=locales.split(","),
        labelled_products=labelled_products,
        new_products=new_products,
        images_per_product=images_per_product,
        rounds=rounds,
        seed=seed,
    )
    typer.echo(f"{sample.labelled}\n" + "\n".join(map(str, sample.rounds)) + f"\n{sample.truth}")
    if sheet:
        contact_sheet(sample.labelled).save(sheet)


if __name__ == "__main__":
    typer.run(main)

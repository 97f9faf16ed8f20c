"""Empty sheets to fill in: `edunet import devices --template devices.xlsx`."""

import csv
import io
from pathlib import Path

from inventory.imports.columns import Column
from inventory.imports.kinds import Kind

ROWS = 5000
"""Rows that get drop-downs and the text format, so that codes keep their leading zeros."""


def write_template(kind: Kind, path: Path) -> None:
    """Write an empty sheet of a kind, XLSX or (by its ending) CSV; OSError where it cannot be written. An existing file is not overwritten."""
    if path.suffix.lower() == ".csv":
        data = template_csv(kind).encode("utf-8-sig")
    else:
        data = template_xlsx(kind)
    with path.open("xb") as file:
        file.write(data)


def template_csv(kind: Kind) -> str:
    """The columns explained in lines that begin with #, then the header."""
    out = io.StringIO()
    for column in kind.columns:
        star = "*" if column.required else " "
        words = f" [{' | '.join(_words(column))}]" if column.choices else ""
        out.write(
            f"# {star} {column.name} {column.zh}: {column.help_zh} / {column.help_en}{words}\r\n".replace(",", ",")
        )
    csv.writer(out).writerow([column.name for column in kind.columns])
    return out.getvalue()


def template_xlsx(kind: Kind) -> bytes:
    """A sheet with the header (Chinese, with notes), drop-downs for choices, all cells as text; and a sheet that explains the columns."""
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = kind.zh
    notes = book.create_sheet("说明 Notes")
    choices = book.create_sheet("选项 Choices")
    notes.append(["列", "Column", "必填 Required", "说明", "Meaning", "示例 Example"])
    for number, column in enumerate(kind.columns, 1):
        letter = get_column_letter(number)
        head = sheet.cell(1, number, column.zh + ("*" if column.required else ""))
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", start_color="FFF2CC" if column.required else "DDEBF7")
        head.comment = Comment(f"{column.help_zh}\n{column.help_en}", "edunet", height=90, width=260)
        sheet.column_dimensions[letter].width = max(12, 2 * len(column.zh) + 6)
        sheet.column_dimensions[letter].number_format = "@"
        notes.append(
            [
                column.zh,
                column.name,
                "是 yes" if column.required else "",
                column.help_zh,
                column.help_en,
                column.example,
            ]
        )
        if column.choices:
            words = [forms[0] if forms else value for value, forms in column.choices.items()]
            for line, word in enumerate([column.zh, *words], 1):
                choices.cell(line, number, word)
            validation = DataValidation(
                type="list", formula1=f"'选项 Choices'!${letter}$2:${letter}${len(words) + 1}", allow_blank=True
            )
            sheet.add_data_validation(validation)
            validation.add(f"{letter}2:{letter}{ROWS}")
    for row in sheet.iter_rows(min_row=2, max_row=200, max_col=len(kind.columns)):
        for cell in row:
            cell.number_format = "@"
    sheet.freeze_panes = "A2"
    for name, width in zip("ABCDEF", (16, 16, 14, 60, 60, 28), strict=True):
        notes.column_dimensions[name].width = width
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _words(column: Column) -> list[str]:
    return [f"{value} {forms[0]}" if forms else value for value, forms in (column.choices or {}).items()]

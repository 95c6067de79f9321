"""The commonest laboratory tests: typical intervals of adults, critical limits, the second usual unit."""

from functools import cache

from msgspec import Struct

from salerno.contexts.records.data.vital_signs import ReferenceRange, number, rows


class LaboratoryTest(Struct, frozen=True, kw_only=True):
    """`factor` turns a value in `unit` into one in `other_unit`."""

    loinc: str
    name: str
    unit: str
    male: ReferenceRange
    female: ReferenceRange
    factor: float | None = None
    other_unit: str = ""

    def range_for(self, gender: str) -> ReferenceRange | None:
        """The interval of that sex; where it is not known, only one that is the same for both."""
        if gender in ("male", "female"):
            return self.male if gender == "male" else self.female
        return self.male if self.male == self.female else None

    def converted(self, value: float) -> float | None:
        return None if self.factor is None else value * self.factor


@cache
def laboratory_tests() -> dict[str, LaboratoryTest]:
    return {row["loinc"]: _test(row) for row in rows("laboratory.csv")}


def _test(row: dict[str, str]) -> LaboratoryTest:
    return LaboratoryTest(
        loinc=row["loinc"],
        name=row["name"],
        unit=row["unit"],
        male=_interval(row, "male"),
        female=_interval(row, "female"),
        factor=number(row["factor"]),
        other_unit=row["other_unit"],
    )


def _interval(row: dict[str, str], sex: str) -> ReferenceRange:
    return ReferenceRange(
        kind=row["loinc"],
        low=number(row[f"low_{sex}"]),
        high=number(row[f"high_{sex}"]),
        critical_low=number(row["critical_low"]),
        critical_high=number(row["critical_high"]),
    )


def hba1c_ifcc(percent: float) -> float:
    """Glycated haemoglobin from % (NGSP) to mmol/mol (IFCC)."""
    return (percent - 2.15) * 10.929

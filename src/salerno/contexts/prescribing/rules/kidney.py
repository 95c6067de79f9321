"""Kidney function from creatinine: Cockcroft-Gault and CKD-EPI 2021, in mL/min."""

UMOL_PER_MG = 88.4  # µmol/L in one mg/dL of creatinine


def cockcroft_gault(age: float, weight: float, creatinine: float, female: bool) -> float:
    """Creatinine clearance of an adult; creatinine in mg/dL, actual weight in kg."""
    return (140 - age) * weight * (0.85 if female else 1.0) / (72 * creatinine)


def ckd_epi_2021(age: float, creatinine: float, female: bool) -> float:
    """Estimated filtration rate per 1.73 m² without race (Inker, N Engl J Med 2021;385:1737), from 18 years."""
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine / kappa
    rate: float = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age
    return rate * (1.012 if female else 1.0)

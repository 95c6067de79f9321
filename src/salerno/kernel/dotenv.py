"""The file `.env`, which stands in for the environment in development."""

from pathlib import Path


def read_dotenv(path: Path) -> dict[str, str]:
    """Its variables by name; none where there is no file."""
    if not path.is_file():
        return {}
    lines = (line.strip().removeprefix("export ") for line in path.read_text("utf-8").splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}

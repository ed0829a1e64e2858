"""The worked example of FORMAT.md: its commands are run, and each must say what the page says it says."""

import pathlib
import re
import shutil
import subprocess
import unittest

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"


class WorkedExample(unittest.TestCase):
    """All blocks are run as one script, as a reader would in one shell."""

    @unittest.skipUnless(shutil.which("bash") and shutil.which("openssl"), "bash and openssl are needed")
    def test_every_command_says_what_the_page_says(self):
        page = (SCHEMAS / "FORMAT.md").read_text(encoding="utf-8")
        script = "\n".join(re.findall("```sh\n(.*?)```", page, re.DOTALL))
        expected = re.findall("^# (.*)$", script, re.MULTILINE)
        self.assertGreater(len(expected), 5)
        run = subprocess.run(
            ["bash", "-eu"], input=script, cwd=SCHEMAS / "vectors" / "bundle", capture_output=True, text=True, check=False
        )
        self.assertEqual(run.stdout.splitlines(), expected, run.stderr)


if __name__ == "__main__":
    unittest.main()

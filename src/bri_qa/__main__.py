"""`python -m bri_qa` is `bri-qa`."""

from bri_qa.cli import main

if __name__ == "__main__":
    main()

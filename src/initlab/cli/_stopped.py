"""What stops a command early without being an error."""


class StoppedError(Exception):
    """The user, or the system, has had enough; the message says what is kept.

    Attributes:
        code: What the process exits with.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])

"""Letters that go by other ways than the web: by mail, and to commands of this machine.

Owns these two ways. Must not know what a letter says, nor when it is sent again.
"""

import json
import subprocess
from collections.abc import Mapping
from typing import Any, Final

from localproc.engine.home.secrets import SecretKeeper, secret_name
from localproc.errors import StagingError

MAIL: Final = "mailto:"
COMMAND: Final = "command:"
_PATIENCE: Final = 60.0


def send(
    address: str, document: Mapping[str, Any], mail: Mapping[str, Any], secrets: SecretKeeper
) -> None:
    """Send a letter; raises ``StagingError`` or ``OSError`` if it did not arrive."""
    if address.startswith(MAIL):
        send_mail(address.removeprefix(MAIL), document, mail, secrets)
    else:
        run(json.loads(address.removeprefix(COMMAND)), document)


def send_mail(
    to: str, document: Mapping[str, Any], mail: Mapping[str, Any], secrets: SecretKeeper
) -> None:
    """Send a letter by the server that the settings name."""
    import smtplib  # of all commands and engines, hardly any sends mail
    from email.message import EmailMessage

    if not mail.get("host"):
        raise StagingError(
            "no mail can be sent", hint="settings.yml: mail: {host: HOST, from: ADDRESS}"
        )
    message = EmailMessage()
    event = document.get("event", {})
    message["Subject"] = f"localproc: {document.get('subscription', '')}: {event.get('event', '')}"
    message["From"] = str(mail.get("from", "localproc"))
    message["To"] = to
    message.set_content(json.dumps(document, indent=2, ensure_ascii=False))
    tls = str(mail.get("tls", ""))
    kind = smtplib.SMTP_SSL if tls == "tls" else smtplib.SMTP
    try:
        with kind(str(mail["host"]), int(mail.get("port", 0)), timeout=_PATIENCE) as server:
            if tls == "starttls":
                server.starttls()
            if mail.get("user"):
                password = str(mail.get("password", ""))
                name = secret_name(password)
                server.login(str(mail["user"]), secrets.get(name) if name else password)
            server.send_message(message)
    except smtplib.SMTPException as error:
        raise StagingError(f"the mail server says {type(error).__name__}") from None


def run(argv: list[str], document: Mapping[str, Any]) -> None:
    """Run a command with a letter, as JSON, on its stdin."""
    try:
        done = subprocess.run(
            argv,
            input=json.dumps(document).encode(),
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StagingError(f"{argv[0]} took longer than {_PATIENCE:g} s") from None
    if done.returncode:
        raise StagingError(f"{argv[0]} ended with {done.returncode}")

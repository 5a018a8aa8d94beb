"""Keys that tools are given for a while: ``localproc s3-credentials``.

Owns asking AWS's Security Token Service, or who stands in for it, for temporary ones. Must not know
who is given them: a source of secrets calls this command.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import click

from localproc.errors import EnvironmentProblem

_HINT: Final = "see the AWS_* variables, ~/.aws/config, and who may take the role on"


@click.command("s3-credentials")
@click.option("--profile", default="", help="A profile of ~/.aws/config.")
@click.option("--role", default="", metavar="ARN", help="Take this role on.")
@click.option("--endpoint", default="", metavar="URL", help="The token service's address.")
@click.option("--region", default="", help="As in AWS_DEFAULT_REGION.")
@click.option(
    "--duration",
    type=click.IntRange(900, 129_600),
    default=3600,
    show_default=True,
    help="Seconds for which they hold.",
)
@click.option("--policy", default="", metavar="FILE", help="What they may be used for (JSON).")
def s3_credentials(policy: str, **asked: Any) -> None:
    """Print keys for S3 that hold for a while, as a source of secrets gives them.

    Keys are those that other programs of AWS find. Temporary ones are printed as they are, unless
    they are to take a role on.
    """
    text = ""
    if policy:
        with click.open_file(policy, encoding="utf-8") as file:
            text = file.read()
    click.echo(json.dumps(temporary(policy=text, **asked)))


def temporary(
    *, profile: str, role: str, endpoint: str, region: str, duration: int, policy: str
) -> Mapping[str, str]:
    """Return ``AccessKeyId``, ``SecretAccessKey``, ``SessionToken`` and when they end.

    Raises ``EnvironmentProblem``, without a key in it.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # botocore costs 0.2 s
    from botocore.session import Session

    try:
        session = Session(profile=profile or None)
        known = session.get_credentials()
        if known is None:
            raise EnvironmentProblem("there is no key to ask for temporary ones", hint=_HINT)
        own = known.get_frozen_credentials()
        if own.token and not role:
            return _named(own.access_key, own.secret_key, own.token)
        service = session.create_client(
            "sts", region_name=region or None, endpoint_url=endpoint or None
        )
        if role:
            more = {"Policy": policy} if policy else {}
            answer = service.assume_role(
                RoleArn=role, RoleSessionName="localproc", DurationSeconds=duration, **more
            )
        else:
            answer = service.get_session_token(DurationSeconds=duration)
    except ClientError as error:
        said = error.response.get("Error", {}).get("Code", "")
        raise EnvironmentProblem(f"the token service refuses: {said}", hint=_HINT) from None
    except BotoCoreError as error:
        raise EnvironmentProblem(f"there are no temporary keys: {error}", hint=_HINT) from None
    given = answer["Credentials"]
    ends = given["Expiration"].isoformat()
    keys = _named(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return {**keys, "Expiration": ends}


def _named(key: str, secret: str, token: str) -> Mapping[str, str]:
    return {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token}

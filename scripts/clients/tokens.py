"""Every way to a token that azure-identity has on a server, offline: tokens.py HTTP HTTPS CERTIFICATE ACCOUNT KEY.

The account takes tokens only.
"""

import logging
import os
import sys
import tempfile

HTTP, HTTPS, CERTIFICATE, ACCOUNT, KEY = sys.argv[1:6]
TENANT = "11111111-1111-1111-1111-111111111111"
os.environ["REQUESTS_CA_BUNDLE"] = CERTIFICATE
# What is refused on purpose is told by the steps.
logging.disable(logging.WARNING)

from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError
from azure.identity import ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential

from steps import done, expect, refused, step


def lists(credential):
    client = BatchClient(HTTPS, credential)
    expect(isinstance(list(client.list_pools()), list), "a list of pools")


os.environ["IDENTITY_ENDPOINT"] = f"{HTTP}/msi/token"
os.environ["IDENTITY_HEADER"] = "lowtide"
lists(ManagedIdentityCredential())
step("a managed identity, as in App Service")
os.environ["IDENTITY_HEADER"] = "guess"
try:
    lists(ManagedIdentityCredential())
    sys.exit("a wrong identity header was taken")
except ClientAuthenticationError:
    step("a wrong identity header is refused")
del os.environ["IDENTITY_ENDPOINT"], os.environ["IDENTITY_HEADER"]

os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = HTTP
lists(ManagedIdentityCredential(client_id="33333333-3333-3333-3333-333333333333"))
step("a managed identity, as on a virtual machine")

with tempfile.NamedTemporaryFile("w", suffix=".jwt") as file:
    file.write("a.b.c")
    file.flush()
    lists(
        WorkloadIdentityCredential(
            tenant_id=TENANT, client_id="c", token_file_path=file.name, authority=HTTPS, disable_instance_discovery=True
        )
    )
step("workload identity, by the token in a file")

secret = {"authority": HTTPS, "disable_instance_discovery": True}
lists(ClientSecretCredential(TENANT, "c", "lowtide", **secret))
step("a client secret")
try:
    lists(ClientSecretCredential(TENANT, "c", "guess", **secret))
    sys.exit("a wrong secret was taken")
except ClientAuthenticationError as error:
    expect("AADSTS7000215" in str(error), error)
    step("a wrong client secret is refused")

try:
    list(BatchClient(HTTP, ManagedIdentityCredential(), retry_total=0).list_pools())
    sys.exit("a token was sent over plain http")
except ServiceRequestError:
    step("the SDK sends no token over plain http")


class Stranger:
    """A credential whose token is of nobody here."""

    def get_token_info(self, *scopes, options=None):
        from azure.core.credentials import AccessTokenInfo

        return AccessTokenInfo("a.b.c", 2**40)

    def get_token(self, *scopes, **options):
        from azure.core.credentials import AccessToken

        return AccessToken("a.b.c", 2**40)


try:
    list(BatchClient(HTTPS, Stranger()).list_pools())
    sys.exit("a token of nobody was taken")
except HttpResponseError as error:
    refused(error, 401, "AuthenticationFailed")
    step("a token of somebody else is refused")
try:
    list(BatchClient(HTTP, AzureNamedKeyCredential(ACCOUNT, KEY)).list_pools())
    sys.exit("a key was taken")
except HttpResponseError as error:
    body = refused(error, 403, "AuthenticationFailed")
    step(f"a key is refused: {body['values'][0]['value']}")
done("azure-identity")

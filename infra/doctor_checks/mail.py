"""Checks of SES: sandbox, quota, identity, DKIM, MAIL FROM and configuration set."""

from email.utils import parseaddr

from .findings import check, fail, ok, warn


@check("ses")
def mail_account(stack):
    account = stack.ask("sesv2", "get_account")
    if account.get("ProductionAccessEnabled"):
        yield ok("SES: the account is out of the sandbox")
    else:
        yield fail(
            "SES: the account is in the sandbox, so it accepts mail to verified addresses only",
            f"SES console in {stack.region} > Account dashboard > Request production access",
        )
    standing = account.get("EnforcementStatus", "HEALTHY")
    if not account.get("SendingEnabled") or standing == "SHUTDOWN":
        yield fail(
            f"SES: sending is switched off ({standing})",
            "if you did it: "
            + stack.aws("sesv2 put-account-sending-attributes --sending-enabled")
            + "; if AWS did it: SES console > Reputation metrics, and answer the case in the Support Center",
        )
    elif standing != "HEALTHY":
        yield warn(f"SES: the account is under review ({standing})", "SES console > Reputation metrics: read why")
    else:
        yield ok("SES: sending is enabled")


@check("quota")
def mail_quota(stack):
    quota = stack.ask("sesv2", "get_account").get("SendQuota", {})
    most, sent, rate = (quota.get(name, 0) for name in ("Max24HourSend", "SentLast24Hours", "MaxSendRate"))
    used = f"SES: {sent:,.0f} of {most:,.0f} mails sent in 24 hours, at most {rate:,.0f} a second"
    todo = f"Service Quotas console in {stack.region} > Amazon SES > Sending quota > Request increase; a reset sends two mails"
    if most < 0:
        yield ok("SES: there is no daily quota")
    elif sent >= most:
        yield fail(f"{used}: used up", todo)
    elif sent >= 0.8 * most:
        yield warn(f"{used}: {100 * sent / most:.0f} %", todo)
    else:
        yield ok(f"{used}: {100 * sent / most:.0f} %")


@check("identity")
def mail_identity(stack):
    name, identity = sender(stack)
    if identity is None:
        yield fail(
            f"SES: {name or 'MAIL_FROM'} is not an identity in {stack.region}, nor is its domain or a parent domain",
            "SES console > Identities > Create identity, or deploy with MailIdentity=address or domain",
        )
        return
    if identity.get("VerifiedForSendingStatus"):
        yield ok(f"SES: {name} is verified")
    else:
        status = identity.get("VerificationStatus", "PENDING")
        is_address = identity.get("IdentityType") == "EMAIL_ADDRESS"
        todo = (
            f"follow the link in the mail that AWS sent to {name}" if is_address else "publish the DKIM records (below)"
        )
        yield fail(f"SES: {name} is not verified ({status})", f"{todo}; for details: SES console > Identities > {name}")


@check("dkim")
def mail_is_signed(stack):
    name, identity = sender(stack)
    if identity is None:
        yield fail("SES: there is no identity, so no DKIM", "verify the sender first")
        return
    if identity.get("IdentityType") == "EMAIL_ADDRESS":
        yield ok(f"SES: {name} is an address, which has no DKIM of its own (MailIdentity=domain improves delivery)")
        return
    dkim = identity.get("DkimAttributes", {})
    status = dkim.get("Status", "NOT_STARTED")
    if status == "SUCCESS" and dkim.get("SigningEnabled"):
        yield ok(f"SES: mail of {name} is signed with DKIM")
        return
    if status == "SUCCESS":
        yield fail(
            f"SES: {name} has DKIM keys, but signing is disabled",
            stack.aws(f"sesv2 put-email-identity-dkim-attributes --email-identity {name} --signing-enabled"),
        )
        return
    zone = dkim.get("SigningHostedZone", "dkim.amazonses.com")
    records = "; ".join(f"{t}._domainkey.{name} CNAME {t}.{zone}" for t in dkim.get("Tokens", []))
    yield fail(
        f"SES: DKIM of {name} is {status}", f"publish in its DNS: {records or 'see SES console > Identities > ' + name}"
    )


@check("mail-from")
def mail_from_domain(stack):
    name, identity = sender(stack)
    mail_from = (identity or {}).get("MailFromAttributes", {})
    domain, status = mail_from.get("MailFromDomain"), mail_from.get("MailFromDomainStatus")
    if identity is None:
        yield fail("SES: there is no identity, so no MAIL FROM domain", "verify the sender first")
    elif not domain and identity.get("IdentityType") == "EMAIL_ADDRESS":
        yield ok(f"SES: {name} is an address and uses SES's own MAIL FROM domain")
    elif not domain:
        yield warn(
            f"SES: {name} has no MAIL FROM domain of its own, so SPF does not align with the sender",
            stack.aws(
                f"sesv2 put-email-identity-mail-from-attributes --email-identity {name} --mail-from-domain bounce.{name}"
            ),
        )
    elif status == "SUCCESS":
        yield ok(f"SES: {domain} is the MAIL FROM domain")
    else:
        server = f"feedback-smtp.{stack.region}.amazonses.com"
        todo = f'publish in its DNS: {domain} MX 10 {server} and {domain} TXT "v=spf1 include:amazonses.com -all"'
        rejects = mail_from.get("BehaviorOnMxFailure") == "REJECT_MESSAGE"
        what = f"SES: the MAIL FROM domain {domain} is {status}"
        yield fail(f"{what}, and SES rejects mail until it is verified", todo) if rejects else warn(what, todo)


def sender(stack):
    """The identity that SES uses for MailFrom: its name and its description."""
    address = parseaddr(stack.variable("MAIL_FROM", function="mail"))[1]
    labels = address.rpartition("@")[2].split(".")
    candidates = [address]
    candidates += [".".join(labels[start:]) for start in range(len(labels) - 1)]
    known = []
    for name in filter(None, dict.fromkeys(candidates)):
        identity = stack.ask("sesv2", "get_email_identity", ("NotFoundException",), EmailIdentity=name)
        if identity is not None:
            known.append((name, identity))
    verified = [found for found in known if found[1].get("VerifiedForSendingStatus")]
    return (verified or known or [(address, None)])[0]


@check("mail-set")
def configuration_set(stack):
    name = stack.outputs["MailConfigurationSetName"]
    found = stack.ask("sesv2", "get_configuration_set", ("NotFoundException",), ConfigurationSetName=name)
    what = f"SES configuration set {name}"
    if found is None:
        yield fail(f"{what} does not exist, so no mail is sent", "deploy with a valid or an empty MailConfigurationSet")
        return
    yield ok(f"{what} exists")
    if stack.variable("MAIL_CONFIGURATION_SET", name, function="mail") != name:
        yield fail(f"{what}: the functions use another one", stack.deploy())
    yield (
        ok(f"{what}: TLS is required")
        if found.get("DeliveryOptions", {}).get("TlsPolicy") == "REQUIRE"
        else fail(
            f"{what}: mail may be sent without TLS",
            stack.aws(
                f"sesv2 put-configuration-set-delivery-options --configuration-set-name {name} --tls-policy REQUIRE"
            ),
        )
    )
    if not found.get("SendingOptions", {}).get("SendingEnabled", True):
        yield fail(
            f"{what}: sending is switched off",
            stack.aws(f"sesv2 put-configuration-set-sending-options --configuration-set-name {name} --sending-enabled"),
        )
    reasons = suppressed(stack, found)
    todo = stack.aws(f"sesv2 put-configuration-set-suppression-options --configuration-set-name {name} --suppressed-reasons BOUNCE")
    if "BOUNCE" not in reasons:
        yield fail(f"{what}: addresses are not suppressed after bounces", todo)
    elif "COMPLAINT" in reasons:
        yield warn(f"{what}: a person who once marks a mail as spam gets no reset mail again, whoever asked for that mail", todo)
    else:
        yield ok(f"{what}: addresses are suppressed after bounces only")


def suppressed(stack, found):
    """The suppressed reasons of the set or, if it has no setting of its own, of the account."""
    own = found.get("SuppressionOptions")
    if own is None:
        own = stack.ask("sesv2", "get_account").get("SuppressionAttributes", {})
    return own.get("SuppressedReasons", [])


@check("reputation")
def reputation_is_measured(stack):
    name = stack.outputs["MailConfigurationSetName"]
    found = stack.ask("sesv2", "get_configuration_set", ("NotFoundException",), ConfigurationSetName=name)
    what = f"SES configuration set {name}"
    if (found or {}).get("ReputationOptions", {}).get("ReputationMetricsEnabled"):
        yield ok(f"{what}: bounces and complaints are measured")
    else:
        yield fail(
            f"{what}: bounces and complaints are not measured, so ReputationAlarm has no data",
            stack.aws(
                "sesv2 put-configuration-set-reputation-options"
                f" --configuration-set-name {name} --reputation-metrics-enabled"
            ),
        )


@check("tracking")
def links_are_not_rewritten(stack):
    name = stack.outputs["MailConfigurationSetName"]
    answer = stack.ask(
        "sesv2", "get_configuration_set_event_destinations", ("NotFoundException",), ConfigurationSetName=name
    )
    destinations = (answer or {}).get("EventDestinations", [])
    tracking = [d["Name"] for d in destinations if d.get("Enabled") and {"OPEN", "CLICK"} & set(d["MatchingEventTypes"])]
    if tracking:
        yield fail(
            f"SES configuration set {name}: {', '.join(tracking)} tracks opens or clicks, so SES rewrites the links",
            f"SES console > Configuration sets > {name} > Event destinations: remove OPEN and CLICK",
        )
    else:
        yield ok(f"SES configuration set {name}: links are not rewritten")

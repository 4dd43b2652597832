# Each file of this folder is one language. To add one, copy this file to its BCP 47 code (such as nl.ftl) and translate it.
# Keep every message and every { $variable }. Messages are plain text: no HTML. $wait is a phrase such as "in 58 seconds", which
# the browser writes. Tests compare the messages of all files, and the dates with the browser's.
#
# To replace single messages without a build, or to add a language, put files like this one into MESSAGES_DIR (see README.md, "Own words").

date =
    { $day } { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    } { $year } at { $hour }:{ $minute } UTC

# Both pages
page-offline = We could not reach the service. Please check your connection and try again.
page-throttled = Too many attempts. Please try again { $wait }.
page-failed = That did not work. Please try again in a moment.
page-support = Get help

# The page that asks for the address
forgot-title = Forgot your password?
forgot-intro = Enter the email address of your { $service } account. We will send you a link to set a new password.
forgot-no-script = This page needs JavaScript. Please switch it on and reload the page, or use a newer browser.
forgot-label = Email address
forgot-button = Send link
forgot-sending = Sending…
forgot-invalid = Please enter an email address such as name@example.com.
forgot-sent-title = Check your email
forgot-sent = If there is an account with this address, an email with a link is on its way. It can take a minute. Check your spam folder, too.
forgot-again = Send it again
forgot-wait = You can send it again { $wait }.

# The page that asks for the new password
choose-title = Choose a new password
choose-for = For { $address }
choose-no-script = This page needs JavaScript. Please switch it on and open the link in your email again, or open it in a newer browser.
choose-label = New password
choose-hint =
    { $min ->
        [one] At least { $min } character.
       *[other] At least { $min } characters.
    } A few unrelated words make a good password.
choose-show = Show password
choose-button = Set password
choose-checking = Checking your link…
choose-setting = Setting the password…
choose-fine = This password is good.
choose-reloaded = This page forgets the link when it is reloaded or left, so that nobody else can use it.
choose-no-link = Please open the link in your email again.
choose-incomplete-title = This link is incomplete
choose-incomplete = Please copy the whole address printed in the email into your browser.
choose-dead-title = This link no longer works
choose-dead = It has been used, it has expired, or the password has been changed since.
choose-new-link = Get a new link
choose-retry = Try again
choose-uncertain = The service did not answer in time. Please try again in a moment. If the link then no longer works, your new password is set.
choose-done-title = Password changed
choose-done = Your new password is set. You can close this page and sign in.
choose-sign-in = Sign in

# Why a password is refused
password-short =
    { $min ->
        [one] The password must have at least { $min } character.
       *[other] The password must have at least { $min } characters.
    }
password-long =
    { $max ->
        [one] The password must have at most { $max } character.
       *[other] The password must have at most { $max } characters.
    }
password-bytes = This password is too long. Please choose a shorter one.
password-unusable = This password contains a character that cannot be used.
password-guessable = This password is too easy to guess.
password-breached = This password is known from a data breach. Please choose another one.
advice-keyboard = Neighbouring keys are easy to guess.
advice-repeats = Repeated words and characters are easy to guess.
advice-sequence = Sequences such as abc or 6543 are easy to guess.
advice-common = It is similar to a commonly used password.
advice-dates = Dates and years are easy to guess.
advice-names = Names are easy to guess.
advice-words = Use a few unrelated, uncommon words.

# All mails. $device is such as "Chrome, Windows".
mail-greeting = Hello,
mail-support = Need help?
mail-device = Device: { $device }
mail-country = Country or region: { $country }

# The mail with the link
reset-subject = Reset your { $service } password
reset-asked = Somebody, hopefully you, asked for a new password for your { $service } account.
reset-when = Requested: { $when }
reset-button = Set a new password
reset-days =
    { $count ->
        [one] The link works once and is valid for { $count } day.
       *[other] The link works once and is valid for { $count } days.
    }
reset-hours =
    { $count ->
        [one] The link works once and is valid for { $count } hour.
       *[other] The link works once and is valid for { $count } hours.
    }
reset-minutes =
    { $count ->
        [one] The link works once and is valid for { $count } minute.
       *[other] The link works once and is valid for { $count } minutes.
    }
reset-copy = If the button does not work, copy this address into your browser:
reset-ignore = If this was not you, ignore this email. Your password stays the same.
reset-secret = No one can change your password without this link. Do not forward this email or share the link with anyone, even if they call or write to ask for it.

# The notice
changed-subject = Your password for { $service } was changed
changed-what = The password of your { $service } account was changed.
changed-when = Changed: { $when }
changed-you = If this was you, there is nothing to do.
changed-not-you = If this was not you, someone else may have access to your email account. Secure it first, then request a new password and contact { $service }.
changed-new = Request a new password

# The mail for a first password
invite-subject = Set your { $service } password
invite-what = An account was created for you at { $service }. Please set a password for it.
invite-button = Set a password
invite-secret = Anyone with this link can set the password of your account. Do not forward this email.

# The mail to an address without an account
unknown-subject = No { $service } account with this address
unknown-asked = Somebody, hopefully you, asked { $service } for a new password with this email address.
unknown-what = We found no account with this address. You may have signed up with another one.
unknown-ignore = If this was not you, ignore this email.

date =
    { $day }. { $month ->
        [1] Januar
        [2] Februar
        [3] März
        [4] April
        [5] Mai
        [6] Juni
        [7] Juli
        [8] August
        [9] September
        [10] Oktober
        [11] November
       *[12] Dezember
    } { $year } um { $hour }:{ $minute } UTC

page-offline = Der Dienst ist nicht erreichbar. Bitte prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.
page-throttled = Zu viele Versuche. Bitte versuchen Sie es { $wait } noch einmal.
page-failed = Das hat nicht geklappt. Bitte versuchen Sie es gleich noch einmal.
page-support = Hilfe erhalten

forgot-title = Passwort vergessen?
forgot-intro = Geben Sie die E-Mail-Adresse Ihres Kontos bei { $service } ein. Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort festlegen können.
forgot-no-script = Diese Seite benötigt JavaScript. Bitte schalten Sie es ein und laden Sie die Seite neu, oder verwenden Sie einen neueren Browser.
forgot-label = E-Mail-Adresse
forgot-button = Link senden
forgot-sending = Wird gesendet …
forgot-invalid = Bitte geben Sie eine E-Mail-Adresse wie name@example.com ein.
forgot-sent-title = Sehen Sie in Ihr E-Mail-Postfach
forgot-sent = Falls es zu dieser Adresse ein Konto gibt, ist eine E-Mail mit einem Link unterwegs. Das kann eine Minute dauern; bitte sehen Sie auch im Spam-Ordner nach.
forgot-again = Noch einmal senden
forgot-wait = Sie können den Link { $wait } noch einmal senden lassen.

choose-title = Neues Passwort wählen
choose-for = Für { $address }
choose-no-script = Diese Seite benötigt JavaScript. Bitte schalten Sie es ein und öffnen Sie den Link in Ihrer E-Mail noch einmal, oder öffnen Sie ihn in einem neueren Browser.
choose-label = Neues Passwort
choose-hint = Mindestens { $min } Zeichen. Einige Wörter ohne Zusammenhang ergeben ein gutes Passwort.
choose-show = Passwort anzeigen
choose-button = Passwort festlegen
choose-checking = Ihr Link wird geprüft …
choose-setting = Das Passwort wird festgelegt …
choose-fine = Dieses Passwort ist gut.
choose-reloaded = Beim Neuladen und Verlassen vergisst diese Seite den Link, damit ihn niemand anderes benutzen kann.
choose-no-link = Bitte öffnen Sie den Link in Ihrer E-Mail noch einmal.
choose-incomplete-title = Dieser Link ist unvollständig
choose-incomplete = Bitte kopieren Sie die ganze Adresse, die in der E-Mail steht, in Ihren Browser.
choose-dead-title = Dieser Link funktioniert nicht mehr
choose-dead = Er wurde schon benutzt, ist abgelaufen, oder das Passwort wurde inzwischen geändert.
choose-new-link = Neuen Link anfordern
choose-retry = Noch einmal versuchen
choose-uncertain = Der Dienst hat nicht rechtzeitig geantwortet. Bitte versuchen Sie es gleich noch einmal. Falls der Link dann nicht mehr funktioniert, gilt Ihr neues Passwort bereits.
choose-done-title = Passwort geändert
choose-done = Ihr neues Passwort ist festgelegt. Sie können diese Seite schließen und sich anmelden.
choose-sign-in = Anmelden

password-short = Das Passwort muss mindestens { $min } Zeichen haben.
password-long = Das Passwort darf höchstens { $max } Zeichen haben.
password-bytes = Dieses Passwort ist zu lang. Bitte wählen Sie ein kürzeres.
password-unusable = Dieses Passwort enthält ein Zeichen, das nicht verwendet werden kann.
password-guessable = Dieses Passwort ist zu leicht zu erraten.
password-breached = Dieses Passwort ist aus einem Datenleck bekannt. Bitte wählen Sie ein anderes.
advice-keyboard = Benachbarte Tasten sind leicht zu erraten.
advice-repeats = Wiederholte Wörter und Zeichen sind leicht zu erraten.
advice-sequence = Folgen wie abc oder 6543 sind leicht zu erraten.
advice-common = Es ähnelt einem häufig benutzten Passwort.
advice-dates = Daten und Jahreszahlen sind leicht zu erraten.
advice-names = Namen sind leicht zu erraten.
advice-words = Verwenden Sie einige seltene Wörter ohne Zusammenhang.

mail-greeting = Guten Tag,
mail-support = Brauchen Sie Hilfe?
mail-device = Gerät: { $device }
mail-country = Land oder Region: { $country }

reset-subject = Passwort für { $service } zurücksetzen
reset-asked = jemand, hoffentlich Sie selbst, hat ein neues Passwort für Ihr Konto bei { $service } angefordert.
reset-when = Angefordert: { $when }
reset-button = Neues Passwort festlegen
reset-days =
    { $count ->
        [one] Der Link ist { $count } Tag gültig und kann nur einmal verwendet werden.
       *[other] Der Link ist { $count } Tage gültig und kann nur einmal verwendet werden.
    }
reset-hours =
    { $count ->
        [one] Der Link ist { $count } Stunde gültig und kann nur einmal verwendet werden.
       *[other] Der Link ist { $count } Stunden gültig und kann nur einmal verwendet werden.
    }
reset-minutes =
    { $count ->
        [one] Der Link ist { $count } Minute gültig und kann nur einmal verwendet werden.
       *[other] Der Link ist { $count } Minuten gültig und kann nur einmal verwendet werden.
    }
reset-copy = Falls die Schaltfläche nicht funktioniert, kopieren Sie diese Adresse in Ihren Browser:
reset-ignore = Falls Sie das nicht waren, ignorieren Sie diese E-Mail: Ihr Passwort bleibt, wie es ist.
reset-secret = Ohne diesen Link kann niemand Ihr Passwort ändern. Leiten Sie ihn nicht weiter und nennen Sie ihn niemandem, der Sie anruft oder Ihnen schreibt.

changed-subject = Ihr Passwort für { $service } wurde geändert
changed-what = das Passwort Ihres Kontos bei { $service } wurde geändert.
changed-when = Geändert: { $when }
changed-you = Falls Sie das waren, müssen Sie nichts tun.
changed-not-you = Falls Sie das nicht waren, kann wahrscheinlich jemand anderes Ihre E-Mails lesen. Ändern Sie zuerst das Passwort Ihres E-Mail-Postfachs, fordern Sie dann ein neues Passwort für { $service } an und informieren Sie die Betreiber.
changed-new = Neues Passwort anfordern

invite-subject = Passwort für { $service } festlegen
invite-what = für Sie wurde ein Konto bei { $service } angelegt. Bitte legen Sie ein Passwort dafür fest.
invite-button = Passwort festlegen
invite-secret = Wer diesen Link hat, kann das Passwort Ihres Kontos festlegen. Leiten Sie ihn nicht weiter.

unknown-subject = Kein Konto bei { $service } mit dieser Adresse
unknown-asked = jemand, hoffentlich Sie selbst, hat bei { $service } mit dieser E-Mail-Adresse ein neues Passwort angefordert.
unknown-what = Wir haben kein Konto mit dieser Adresse gefunden. Vielleicht haben Sie sich mit einer anderen angemeldet.
unknown-ignore = Falls Sie das nicht waren, ignorieren Sie diese E-Mail.

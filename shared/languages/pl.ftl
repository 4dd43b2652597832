date =
    { $day } { $month ->
        [1] stycznia
        [2] lutego
        [3] marca
        [4] kwietnia
        [5] maja
        [6] czerwca
        [7] lipca
        [8] sierpnia
        [9] września
        [10] października
        [11] listopada
       *[12] grudnia
    } { $year } { $hour }:{ $minute } UTC

page-offline = Nie udało się połączyć z usługą. Sprawdź połączenie i spróbuj ponownie.
page-throttled = Zbyt wiele prób. Spróbuj ponownie { $wait }.
page-failed = Nie udało się. Spróbuj ponownie za chwilę.
page-support = Uzyskaj pomoc

forgot-title = Nie pamiętasz hasła?
forgot-intro = Podaj adres e-mail swojego konta { $service }. Wyślemy na niego link, który pozwoli ustawić nowe hasło.
forgot-no-script = Ta strona wymaga JavaScriptu. Włącz go i odśwież stronę albo użyj nowszej przeglądarki.
forgot-label = Adres e-mail
forgot-button = Wyślij link
forgot-sending = Wysyłanie…
forgot-invalid = Podaj adres e-mail, na przykład nazwa@example.com.
forgot-sent-title = Sprawdź swoją pocztę
forgot-sent = Jeśli istnieje konto z tym adresem, wiadomość z linkiem jest już w drodze. Może to potrwać minutę; zajrzyj też do folderu ze spamem.
forgot-again = Wyślij ponownie
forgot-wait = Ponowne wysłanie będzie możliwe { $wait }.

choose-title = Ustaw nowe hasło
choose-for = Dla { $address }
choose-no-script = Ta strona wymaga JavaScriptu. Włącz go i ponownie otwórz link z wiadomości e-mail albo otwórz go w nowszej przeglądarce.
choose-label = Nowe hasło
choose-hint =
    { $min ->
        [one] Co najmniej { $min } znak.
        [few] Co najmniej { $min } znaki.
       *[many] Co najmniej { $min } znaków.
    } Kilka niepowiązanych ze sobą słów tworzy silne hasło.
choose-show = Pokaż hasło
choose-button = Ustaw hasło
choose-checking = Sprawdzanie linku…
choose-setting = Ustawianie hasła…
choose-fine = To silne hasło.
choose-reloaded = Ta strona zapomina link po odświeżeniu lub opuszczeniu, aby nikt inny nie mógł go użyć.
choose-no-link = Ponownie otwórz link z wiadomości.
choose-incomplete-title = Ten link jest niepełny
choose-incomplete = Skopiuj do przeglądarki cały adres podany w wiadomości e-mail.
choose-dead-title = Ten link już nie działa
choose-dead = Został użyty, wygasł albo hasło zostało od tego czasu zmienione.
choose-new-link = Poproś o nowy link
choose-retry = Spróbuj ponownie
choose-uncertain = Usługa nie odpowiedziała na czas. Spróbuj ponownie za chwilę. Jeśli link już nie działa, nowe hasło zostało ustawione.
choose-done-title = Hasło zmienione
choose-done = Nowe hasło zostało ustawione. Możesz zamknąć tę stronę i się zalogować.
choose-sign-in = Zaloguj się

password-short =
    { $min ->
        [one] Hasło musi mieć co najmniej { $min } znak.
        [few] Hasło musi mieć co najmniej { $min } znaki.
       *[many] Hasło musi mieć co najmniej { $min } znaków.
    }
password-long =
    { $max ->
        [one] Hasło może mieć najwyżej { $max } znak.
        [few] Hasło może mieć najwyżej { $max } znaki.
       *[many] Hasło może mieć najwyżej { $max } znaków.
    }
password-bytes = To hasło jest za długie. Wybierz krótsze.
password-unusable = To hasło zawiera znak, którego nie można użyć.
password-guessable = To hasło zbyt łatwo odgadnąć.
password-breached = To hasło pojawiło się w wycieku danych. Wybierz inne.
advice-keyboard = Sąsiednie klawisze łatwo odgadnąć.
advice-repeats = Powtórzone słowa i znaki łatwo odgadnąć.
advice-sequence = Ciągi takie jak abc lub 6543 łatwo odgadnąć.
advice-common = Jest podobne do często używanego hasła.
advice-dates = Daty i lata łatwo odgadnąć.
advice-names = Imiona i nazwiska łatwo odgadnąć.
advice-words = Użyj kilku rzadkich, niepowiązanych ze sobą słów.

mail-greeting = Dzień dobry,
mail-support = Potrzebujesz pomocy?
mail-device = Urządzenie: { $device }
mail-country = Kraj lub region: { $country }

reset-subject = Zresetuj hasło do konta { $service }
reset-asked = Otrzymaliśmy prośbę o nowe hasło do Twojego konta { $service }.
reset-when = Data prośby: { $when }
reset-button = Ustaw nowe hasło
reset-days =
    { $count ->
        [one] Link jest ważny przez { $count } dzień i można go użyć tylko raz.
        [few] Link jest ważny przez { $count } dni i można go użyć tylko raz.
       *[many] Link jest ważny przez { $count } dni i można go użyć tylko raz.
    }
reset-hours =
    { $count ->
        [one] Link jest ważny przez { $count } godzinę i można go użyć tylko raz.
        [few] Link jest ważny przez { $count } godziny i można go użyć tylko raz.
       *[many] Link jest ważny przez { $count } godzin i można go użyć tylko raz.
    }
reset-minutes =
    { $count ->
        [one] Link jest ważny przez { $count } minutę i można go użyć tylko raz.
        [few] Link jest ważny przez { $count } minuty i można go użyć tylko raz.
       *[many] Link jest ważny przez { $count } minut i można go użyć tylko raz.
    }
reset-copy = Jeśli przycisk nie działa, skopiuj ten adres do przeglądarki:
reset-ignore = Jeśli to nie Ty, zignoruj tę wiadomość: Twoje hasło się nie zmieni.
reset-secret = Bez tego linku nikt nie może zmienić Twojego hasła. Nie przekazuj go dalej i nie podawaj nikomu, kto do Ciebie dzwoni lub pisze.

changed-subject = Twoje hasło do { $service } zostało zmienione
changed-what = Hasło do Twojego konta { $service } zostało zmienione.
changed-when = Data zmiany: { $when }
changed-you = Jeśli to Ty, nie musisz nic robić.
changed-not-you = Jeśli to nie Ty, ktoś inny prawdopodobnie może czytać Twoją pocztę. Najpierw zabezpiecz skrzynkę, potem poproś o nowe hasło i powiadom administratorów { $service }.
changed-new = Poproś o nowe hasło

invite-subject = Ustaw hasło do konta { $service }
invite-what = Utworzono dla Ciebie konto { $service }. Ustaw do niego hasło.
invite-button = Ustaw hasło
invite-secret = Każdy, kto ma ten link, może ustawić hasło do Twojego konta. Nie przekazuj go dalej.

unknown-subject = Brak konta { $service } z tym adresem
unknown-asked = Otrzymaliśmy prośbę o nowe hasło do { $service } z tym adresem e-mail.
unknown-what = Nie znaleźliśmy konta z tym adresem. Być może konto zostało założone z innym adresem.
unknown-ignore = Jeśli to nie Ty, zignoruj tę wiadomość.

# Portuguese of Portugal, also for Africa. The other file is that of Brazil. "Ligação" alone is the Internet connection; the one in the
# mail is "o link".

date =
    { $day } de { $month ->
        [1] janeiro
        [2] fevereiro
        [3] março
        [4] abril
        [5] maio
        [6] junho
        [7] julho
        [8] agosto
        [9] setembro
        [10] outubro
        [11] novembro
       *[12] dezembro
    } de { $year } às { $hour }:{ $minute } UTC

page-offline = Não foi possível contactar o serviço. Verifique a sua ligação à Internet e tente novamente.
page-throttled = Demasiadas tentativas. Tente novamente { $wait }.
page-failed = Ocorreu um erro. Tente novamente dentro de momentos.
page-support = Obter ajuda

forgot-title = Esqueceu-se da palavra-passe?
forgot-intro = Introduza o endereço de e-mail da sua conta { $service }. Enviar-lhe-emos um link para definir uma nova palavra-passe.
forgot-no-script = Esta página precisa de JavaScript. Ative-o e recarregue a página ou utilize um navegador mais recente.
forgot-label = Endereço de e-mail
forgot-button = Enviar link
forgot-sending = A enviar…
forgot-invalid = Introduza um endereço de e-mail como nome@example.com.
forgot-sent-title = Verifique o seu e-mail
forgot-sent = Se existir uma conta com este endereço, um e-mail com um link está a caminho. Pode demorar um minuto. Verifique também a pasta de spam.
forgot-again = Enviar novamente
forgot-wait = Poderá enviar novamente { $wait }.

choose-title = Escolha uma nova palavra-passe
choose-for = Para { $address }
choose-no-script = Esta página precisa de JavaScript. Ative-o e abra novamente a ligação do e-mail ou abra-a num navegador mais recente.
choose-label = Nova palavra-passe
choose-hint =
    { $min ->
        [one] No mínimo, { $min } caráter.
       *[other] No mínimo, { $min } carateres.
    } Algumas palavras sem relação entre si formam uma boa palavra-passe.
choose-show = Mostrar palavra-passe
choose-button = Definir palavra-passe
choose-checking = A verificar o link…
choose-setting = A definir a palavra-passe…
choose-fine = Esta palavra-passe é boa.
choose-reloaded = Esta página esquece a ligação quando é recarregada ou abandonada, para que mais ninguém a possa utilizar.
choose-no-link = Abra novamente o link que recebeu por e-mail.
choose-incomplete-title = Esta ligação está incompleta
choose-incomplete = Copie para o navegador o endereço completo que aparece no e-mail.
choose-dead-title = Esta ligação já não funciona
choose-dead = Foi utilizada, expirou ou a palavra-passe foi alterada entretanto.
choose-new-link = Pedir um novo link
choose-retry = Tentar novamente
choose-uncertain = O serviço não respondeu a tempo. Tente novamente dentro de momentos. Se nessa altura o link já não funcionar, a sua nova palavra-passe está definida.
choose-done-title = Palavra-passe alterada
choose-done = A sua nova palavra-passe está definida. Pode fechar esta página e iniciar sessão.
choose-sign-in = Iniciar sessão

password-short =
    { $min ->
        [one] A palavra-passe deve ter, no mínimo, { $min } caráter.
       *[other] A palavra-passe deve ter, no mínimo, { $min } carateres.
    }
password-long =
    { $max ->
        [one] A palavra-passe deve ter, no máximo, { $max } caráter.
       *[other] A palavra-passe deve ter, no máximo, { $max } carateres.
    }
password-bytes = Esta palavra-passe é demasiado longa. Escolha uma mais curta.
password-unusable = Esta palavra-passe contém um carácter que não pode ser utilizado.
password-guessable = Esta palavra-passe é demasiado fácil de adivinhar.
password-breached = Esta palavra-passe apareceu numa fuga de dados. Escolha outra.
advice-keyboard = As teclas vizinhas são fáceis de adivinhar.
advice-repeats = As palavras e os carateres repetidos são fáceis de adivinhar.
advice-sequence = As sequências como abc ou 6543 são fáceis de adivinhar.
advice-common = É semelhante a uma palavra-passe muito utilizada.
advice-dates = As datas e os anos são fáceis de adivinhar.
advice-names = Os nomes e os apelidos são fáceis de adivinhar.
advice-words = Utilize algumas palavras pouco comuns e sem relação entre si.

mail-greeting = Olá,
mail-support = Precisa de ajuda?
mail-device = Dispositivo: { $device }
mail-country = País ou região: { $country }

reset-subject = Reponha a palavra-passe da sua conta { $service }
reset-asked = Recebemos um pedido de uma nova palavra-passe para a sua conta { $service }.
reset-when = Data do pedido: { $when }
reset-button = Definir nova palavra-passe
reset-days =
    { $count ->
        [one] O link é válido durante { $count } dia e só pode ser utilizado uma vez.
       *[other] O link é válido durante { $count } dias e só pode ser utilizado uma vez.
    }
reset-hours =
    { $count ->
        [one] O link é válido durante { $count } hora e só pode ser utilizado uma vez.
       *[other] O link é válido durante { $count } horas e só pode ser utilizado uma vez.
    }
reset-minutes =
    { $count ->
        [one] O link é válido durante { $count } minuto e só pode ser utilizado uma vez.
       *[other] O link é válido durante { $count } minutos e só pode ser utilizado uma vez.
    }
reset-copy = Se o botão não funcionar, copie e cole este endereço no navegador:
reset-ignore = Se não fez este pedido, ignore este e-mail: a sua palavra-passe mantém-se.
reset-secret = Ninguém pode alterar a sua palavra-passe sem este link. Não reencaminhe este e-mail nem dê o link a ninguém, mesmo que lho peçam por telefone ou por escrito.

changed-subject = A palavra-passe da sua conta { $service } foi alterada
changed-what = A palavra-passe da sua conta { $service } foi alterada.
changed-when = Data da alteração: { $when }
changed-you = Se fez esta alteração, não precisa de fazer nada.
changed-not-you = Se não fez esta alteração, é provável que outra pessoa consiga ler o seu e-mail. Proteja primeiro a sua conta de e-mail; depois, peça uma nova palavra-passe e contacte { $service }.
changed-new = Pedir uma nova palavra-passe

invite-subject = Defina a palavra-passe da sua conta { $service }
invite-what = Foi criada uma conta { $service } para si. Defina uma palavra-passe para essa conta.
invite-button = Definir palavra-passe
invite-secret = Quem tiver este link pode definir a palavra-passe da sua conta. Não reencaminhe este e-mail.

unknown-subject = Nenhuma conta { $service } com este endereço
unknown-asked = Recebemos um pedido de uma nova palavra-passe de { $service } com este endereço de e-mail.
unknown-what = Não encontrámos nenhuma conta com este endereço. Talvez se tenha registado com outro.
unknown-ignore = Se não fez este pedido, ignore este e-mail.

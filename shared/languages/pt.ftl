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

page-offline = Não foi possível contatar o serviço. Verifique sua conexão e tente novamente.
page-throttled = Muitas tentativas. Tente novamente { $wait }.
page-failed = Não funcionou. Tente novamente em instantes.
page-support = Obter ajuda

forgot-title = Esqueceu sua senha?
forgot-intro = Digite o endereço de e-mail da sua conta { $service }. Enviaremos um link com o qual você poderá definir uma nova senha.
forgot-no-script = Esta página precisa de JavaScript. Ative-o e recarregue a página ou use um navegador mais recente.
forgot-label = Endereço de e-mail
forgot-button = Enviar o link
forgot-sending = Enviando…
forgot-invalid = Digite um endereço de e-mail como nome@example.com.
forgot-sent-title = Verifique seu e-mail
forgot-sent = Se houver uma conta com este endereço, um e-mail com um link está a caminho. Pode levar um minuto; verifique também a pasta de spam.
forgot-again = Enviar novamente
forgot-wait = Você poderá enviar novamente { $wait }.

choose-title = Escolha uma nova senha
choose-for = Para { $address }
choose-no-script = Esta página precisa de JavaScript. Ative-o e abra novamente o link do e-mail ou abra-o em um navegador mais recente.
choose-label = Nova senha
choose-hint =
    { $min ->
        [one] No mínimo { $min } caractere.
       *[other] No mínimo { $min } caracteres.
    } Algumas palavras sem relação entre si formam uma boa senha.
choose-show = Mostrar a senha
choose-button = Definir a senha
choose-checking = Verificando o link…
choose-setting = Definindo a senha…
choose-fine = Esta senha é boa.
choose-reloaded = Esta página esquece o link quando é recarregada ou deixada, para que ninguém mais possa usá-lo.
choose-no-link = Abra novamente o link do e-mail.
choose-incomplete-title = Este link está incompleto
choose-incomplete = Copie para o navegador o endereço completo que aparece no e-mail.
choose-dead-title = Este link não funciona mais
choose-dead = Ele já foi usado, expirou ou a senha foi alterada desde então.
choose-new-link = Solicitar um novo link
choose-retry = Tentar novamente
choose-uncertain = O serviço não respondeu a tempo. Tente novamente em instantes. Se o link não funcionar mais, sua nova senha já está definida.
choose-done-title = Senha alterada
choose-done = Sua nova senha está definida. Você pode fechar esta página e entrar.
choose-sign-in = Entrar

password-short =
    { $min ->
        [one] A senha deve ter no mínimo { $min } caractere.
       *[other] A senha deve ter no mínimo { $min } caracteres.
    }
password-long =
    { $max ->
        [one] A senha deve ter no máximo { $max } caractere.
       *[other] A senha deve ter no máximo { $max } caracteres.
    }
password-bytes = Esta senha é longa demais. Escolha uma mais curta.
password-unusable = Esta senha contém um caractere que não pode ser usado.
password-guessable = Esta senha é fácil demais de adivinhar.
password-breached = Esta senha apareceu em um vazamento de dados. Escolha outra.
advice-keyboard = Teclas vizinhas são fáceis de adivinhar.
advice-repeats = Palavras e caracteres repetidos são fáceis de adivinhar.
advice-sequence = Sequências como abc ou 6543 são fáceis de adivinhar.
advice-common = Ela se parece com uma senha muito usada.
advice-dates = Datas e anos são fáceis de adivinhar.
advice-names = Nomes e sobrenomes são fáceis de adivinhar.
advice-words = Use algumas palavras incomuns e sem relação entre si.

mail-greeting = Olá,
mail-support = Precisa de ajuda?
mail-device = Dispositivo: { $device }
mail-country = País ou região: { $country }

reset-subject = Redefina sua senha de { $service }
reset-asked = Recebemos um pedido de nova senha para sua conta { $service }.
reset-when = Data do pedido: { $when }
reset-button = Definir uma nova senha
reset-days =
    { $count ->
        [one] O link é válido por { $count } dia e só pode ser usado uma vez.
       *[other] O link é válido por { $count } dias e só pode ser usado uma vez.
    }
reset-hours =
    { $count ->
        [one] O link é válido por { $count } hora e só pode ser usado uma vez.
       *[other] O link é válido por { $count } horas e só pode ser usado uma vez.
    }
reset-minutes =
    { $count ->
        [one] O link é válido por { $count } minuto e só pode ser usado uma vez.
       *[other] O link é válido por { $count } minutos e só pode ser usado uma vez.
    }
reset-copy = Se o botão não funcionar, copie e cole este endereço no navegador:
reset-ignore = Se não foi você, ignore este e-mail: sua senha continua a mesma.
reset-secret = Ninguém pode alterar sua senha sem este link. Não o encaminhe nem o informe a quem ligar ou escrever para você.

changed-subject = Sua senha de { $service } foi alterada
changed-what = A senha da sua conta { $service } foi alterada.
changed-when = Data da alteração: { $when }
changed-you = Se foi você, não é preciso fazer nada.
changed-not-you = Se não foi você, é provável que outra pessoa consiga ler seus e-mails. Primeiro proteja sua caixa de correio; depois peça uma nova senha e avise os responsáveis por { $service }.
changed-new = Solicitar uma nova senha

invite-subject = Defina sua senha de { $service }
invite-what = Uma conta { $service } foi criada para você. Defina uma senha para ela.
invite-button = Definir senha
invite-secret = Quem tiver este link pode definir a senha da sua conta. Não o encaminhe.

unknown-subject = Nenhuma conta { $service } com este endereço
unknown-asked = Recebemos um pedido de nova senha de { $service } com este endereço de e-mail.
unknown-what = Não encontramos nenhuma conta com este endereço. Talvez você tenha se cadastrado com outro.
unknown-ignore = Se não foi você, ignore este e-mail.

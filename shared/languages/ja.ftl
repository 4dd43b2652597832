date = { $year }年{ $month }月{ $day }日 { $short-hour }:{ $minute }（UTC）

page-offline = サービスに接続できませんでした。接続を確認して、もう一度お試しください。
page-throttled = 試行回数が多すぎます。{ $wait }にもう一度お試しください。
page-failed = 処理できませんでした。しばらくしてからもう一度お試しください。
page-support = ヘルプ

forgot-title = パスワードをお忘れですか？
forgot-intro = { $service } アカウントのメールアドレスを入力してください。新しいパスワードを設定するためのリンクをお送りします。
forgot-no-script = このページには JavaScript が必要です。有効にしてページを再読み込みするか、新しいブラウザーをお使いください。
forgot-label = メールアドレス
forgot-button = リンクを送信
forgot-sending = 送信しています…
forgot-invalid = name@example.com のようなメールアドレスを入力してください。
forgot-sent-title = メールをご確認ください
forgot-sent = このアドレスのアカウントがある場合は、リンクを記載したメールをお送りします。届くまでに 1 分ほどかかることがあります。迷惑メールフォルダもご確認ください。
forgot-again = もう一度送信
forgot-wait = { $wait }にもう一度送信できます。

choose-title = 新しいパスワードの設定
choose-for = 対象のアカウント：{ $address }
choose-no-script = このページには JavaScript が必要です。有効にしてメールのリンクをもう一度開くか、新しいブラウザーで開いてください。
choose-label = 新しいパスワード
choose-hint = { $min } 文字以上。関連のない単語をいくつか組み合わせると、よいパスワードになります。
choose-show = パスワードを表示
choose-button = パスワードを設定
choose-checking = リンクを確認しています…
choose-setting = パスワードを設定しています…
choose-fine = このパスワードは問題ありません。
choose-reloaded = ほかの人に使われないように、再読み込みしたり離れたりすると、このページはリンクを破棄します。
choose-no-link = メールのリンクをもう一度開いてください。
choose-incomplete-title = このリンクは不完全です
choose-incomplete = メールに記載されているアドレス全体をコピーして、ブラウザーに貼り付けてください。
choose-dead-title = このリンクは使用できなくなりました
choose-dead = リンクが使用済みか、期限切れか、その後パスワードが変更されています。
choose-new-link = 新しいリンクをリクエスト
choose-retry = もう一度試す
choose-uncertain = サービスから時間内に応答がありませんでした。しばらくしてからもう一度お試しください。その際にリンクが無効になっていれば、新しいパスワードは設定済みです。
choose-done-title = パスワードを変更しました
choose-done = 新しいパスワードを設定しました。このページを閉じてログインできます。
choose-sign-in = ログイン

password-short = パスワードは { $min } 文字以上にしてください。
password-long = パスワードは { $max } 文字以内にしてください。
password-bytes = このパスワードは長すぎます。より短いものを選んでください。
password-unusable = このパスワードには使用できない文字が含まれています。
password-guessable = このパスワードは推測されやすいため、使用できません。
password-breached = このパスワードは過去に漏えいしています。別のものを選んでください。
advice-keyboard = 隣り合ったキーの並びは推測されやすくなります。
advice-repeats = 単語や文字の繰り返しは推測されやすくなります。
advice-sequence = abc や 6543 のような連続した文字は推測されやすくなります。
advice-common = よく使われるパスワードに似ています。
advice-dates = 日付や年は推測されやすくなります。
advice-names = 名前は推測されやすくなります。
advice-words = 関連のない、あまり使われない単語をいくつか組み合わせてください。

mail-greeting = いつもご利用いただきありがとうございます。
mail-support = お困りの場合：
mail-device = デバイス：{ $device }
mail-country = 国または地域：{ $country }

reset-subject = { $service } パスワード再設定のご案内
reset-asked = お客様の { $service } アカウントについて、パスワード再設定のリクエストを受け付けました。
reset-when = 受付日時：{ $when }
reset-button = 新しいパスワードを設定
reset-days = リンクは { $count } 日以内に 1 回だけ使用できます。
reset-hours = リンクは { $count } 時間以内に 1 回だけ使用できます。
reset-minutes = リンクは { $count } 分以内に 1 回だけ使用できます。
reset-copy = ボタンが機能しない場合は、次のアドレスをブラウザにコピーしてください：
reset-ignore = お心当たりがない場合は、このメールを無視してください。パスワードは変更されません。
reset-secret = このリンクがなければ、誰もパスワードを変更できません。リンクを転送したり、電話やメールで尋ねてくる人に教えたりしないでください。

changed-subject = { $service } のパスワードが変更されました
changed-what = お客様の { $service } アカウントのパスワードが変更されました。
changed-when = 変更日時：{ $when }
changed-you = ご本人による変更の場合は、何もする必要はありません。
changed-not-you = お心当たりがない場合は、第三者がお客様のメールを読める可能性があります。まずメールボックスの安全を確保し、そのうえでパスワードを再設定し、{ $service } の運営者にお知らせください。
changed-new = パスワードを再設定

invite-subject = { $service } パスワード設定のご案内
invite-what = お客様の { $service } アカウントが作成されました。パスワードを設定してください。
invite-button = パスワードを設定
invite-secret = このリンクを持っている人は誰でも、お客様のアカウントのパスワードを設定できます。このメールを転送しないでください。

unknown-subject = このアドレスの { $service } アカウントはありません
unknown-asked = このメールアドレスで、{ $service } のパスワード再設定のリクエストを受け付けました。
unknown-what = このアドレスのアカウントは見つかりませんでした。別のアドレスで登録された可能性があります。
unknown-ignore = お心当たりがない場合は、このメールを無視してください。

date = { $year }년 { $month }월 { $day }일 { $hour }:{ $minute } UTC

page-offline = 서비스에 연결할 수 없습니다. 연결 상태를 확인하고 다시 시도해 주세요.
page-throttled = 시도 횟수가 너무 많습니다. { $wait } 다시 시도해 주세요.
page-failed = 처리하지 못했습니다. 잠시 후 다시 시도해 주세요.
page-support = 도움 받기

forgot-title = 비밀번호를 잊으셨나요?
forgot-intro = { $service } 계정의 이메일 주소를 입력해 주세요. 새 비밀번호를 설정할 수 있는 링크를 보내 드립니다.
forgot-no-script = 이 페이지에는 JavaScript가 필요합니다. JavaScript를 켜고 페이지를 새로 고치거나 최신 브라우저를 사용해 주세요.
forgot-label = 이메일 주소
forgot-button = 링크 보내기
forgot-sending = 보내는 중…
forgot-invalid = name@example.com과 같은 이메일 주소를 입력해 주세요.
forgot-sent-title = 이메일을 확인하세요
forgot-sent = 이 주소로 등록된 계정이 있으면 링크가 포함된 메일이 발송됩니다. 1분 정도 걸릴 수 있으며, 스팸 폴더도 확인해 주세요.
forgot-again = 다시 보내기
forgot-wait = { $wait } 다시 보낼 수 있습니다.

choose-title = 새 비밀번호 설정
choose-for = 대상 계정: { $address }
choose-no-script = 이 페이지에는 JavaScript가 필요합니다. JavaScript를 켜고 이메일의 링크를 다시 열거나 최신 브라우저에서 열어 주세요.
choose-label = 새 비밀번호
choose-hint = { $min }자 이상. 서로 관련 없는 단어 몇 개를 조합하면 좋은 비밀번호가 됩니다.
choose-show = 비밀번호 표시
choose-button = 비밀번호 설정
choose-checking = 링크를 확인하는 중…
choose-setting = 비밀번호를 설정하는 중…
choose-fine = 안전한 비밀번호입니다.
choose-reloaded = 다른 사람이 사용하지 못하도록, 새로 고치거나 떠나면 이 페이지는 링크를 지웁니다.
choose-no-link = 메일의 링크를 다시 열어 주세요.
choose-incomplete-title = 링크가 완전하지 않습니다
choose-incomplete = 이메일에 적힌 주소 전체를 복사하여 브라우저에 붙여 넣어 주세요.
choose-dead-title = 이 링크는 더 이상 사용할 수 없습니다
choose-dead = 이미 사용되었거나 만료되었거나 그 후 비밀번호가 변경되었습니다.
choose-new-link = 새 링크 요청
choose-retry = 다시 시도
choose-uncertain = 서비스가 제시간에 응답하지 않았습니다. 잠시 후 다시 시도해 주세요. 그때 링크를 사용할 수 없다면 새 비밀번호가 설정된 것입니다.
choose-done-title = 비밀번호가 변경되었습니다
choose-done = 새 비밀번호가 설정되었습니다. 이 페이지를 닫고 로그인할 수 있습니다.
choose-sign-in = 로그인

password-short = 비밀번호는 { $min }자 이상이어야 합니다.
password-long = 비밀번호는 { $max }자 이하여야 합니다.
password-bytes = 이 비밀번호는 너무 깁니다. 더 짧은 비밀번호를 선택해 주세요.
password-unusable = 이 비밀번호에는 사용할 수 없는 문자가 있습니다.
password-guessable = 추측하기 너무 쉬운 비밀번호입니다.
password-breached = 유출된 적이 있는 비밀번호입니다. 다른 비밀번호를 선택해 주세요.
advice-keyboard = 나란히 있는 키는 추측하기 쉽습니다.
advice-repeats = 반복되는 단어와 문자는 추측하기 쉽습니다.
advice-sequence = abc나 6543과 같은 연속된 문자는 추측하기 쉽습니다.
advice-common = 흔히 쓰이는 비밀번호와 비슷합니다.
advice-dates = 날짜와 연도는 추측하기 쉽습니다.
advice-names = 이름은 추측하기 쉽습니다.
advice-words = 서로 관련 없고 흔하지 않은 단어 몇 개를 사용해 주세요.

mail-greeting = 안녕하세요.
mail-support = 도움이 필요하신가요?
mail-device = 기기: { $device }
mail-country = 국가 또는 지역: { $country }

reset-subject = { $service } 비밀번호 재설정
reset-asked = 고객님의 { $service } 계정에 대한 비밀번호 재설정 요청이 접수되었습니다.
reset-when = 요청 시각: { $when }
reset-button = 새 비밀번호 설정
reset-days = 링크는 { $count }일 이내에 한 번만 사용할 수 있습니다.
reset-hours = 링크는 { $count }시간 이내에 한 번만 사용할 수 있습니다.
reset-minutes = 링크는 { $count }분 이내에 한 번만 사용할 수 있습니다.
reset-copy = 버튼이 작동하지 않으면 다음 주소를 브라우저에 복사해 주세요:
reset-ignore = 본인이 요청하지 않으셨다면 이 메일을 무시해 주세요. 비밀번호는 그대로 유지됩니다.
reset-secret = 이 링크 없이는 누구도 비밀번호를 변경할 수 없습니다. 링크를 전달하지 마시고, 전화나 메시지로 묻는 사람에게 알려 주지 마세요.

changed-subject = { $service } 비밀번호가 변경되었습니다
changed-what = 고객님의 { $service } 계정 비밀번호가 변경되었습니다.
changed-when = 변경 시각: { $when }
changed-you = 본인이 변경하셨다면 아무것도 하지 않으셔도 됩니다.
changed-not-you = 본인이 변경하지 않으셨다면 다른 사람이 고객님의 메일 계정에 접근했을 가능성이 큽니다. 먼저 메일 계정을 안전하게 보호한 다음, 새 비밀번호를 요청하고 { $service } 운영자에게 알려 주세요.
changed-new = 새 비밀번호 요청

invite-subject = { $service } 비밀번호 설정
invite-what = 고객님의 { $service } 계정이 만들어졌습니다. 비밀번호를 설정해 주세요.
invite-button = 비밀번호 설정
invite-secret = 이 링크가 있으면 누구나 고객님의 계정 비밀번호를 설정할 수 있습니다. 이 메일을 전달하지 마세요.

unknown-subject = 이 주소로 등록된 { $service } 계정이 없습니다
unknown-asked = 이 메일 주소로 { $service } 비밀번호 재설정 요청이 접수되었습니다.
unknown-what = 이 주소로 등록된 계정을 찾지 못했습니다. 다른 주소로 가입하셨을 수 있습니다.
unknown-ignore = 본인이 요청하지 않으셨다면 이 메일을 무시해 주세요.

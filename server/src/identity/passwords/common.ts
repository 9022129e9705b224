/**
 * What people choose most: the words, names, runs of keys and numbers that lists of leaked
 * passwords begin with, in more languages than lists have them. Decoration does not help them:
 * `P4ssw0rd!2024` is `password`.
 */
import { listedPasswords } from './listed.ts';

const WORDS = `
password passwort contrasena contrasenia clave passw pass passwd motdepasse senha parola
qwerty qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc wsxedc azerty qwertz qwer
asdf zxcv qweasd qweasdzxc qwe asd zxc aqwsxz poiuyt mnbvcxz lkjhgf
letmein welcome bienvenido bienvenida admin administrator administrador root toor user usuario
guest invitado login default changeme change test tester testing prueba demo example ejemplo
temp temporal sample secret secreto private master superman batman spiderman ironman wonderwoman
iloveyou loveyou iloveu lovely love teamo amor miamor princess princesa angel angels corazon
monkey dragon tiger lion panther eagle falcon phoenix dolphin horse butterfly kitty puppy chicken
football futbol soccer baseball basketball hockey tennis golf cricket rugby sport
michael michelle jennifer jessica jordan thomas robert daniel george charlie andrew matthew
anthony joshua ashley amanda nicole hannah samantha hunter harley ranger buster ginger maggie
cookie pepper summer winter spring autumn verano invierno otono primavera sunshine sunset
shadow ninja killer hacker hello hola hi holamundo helloworld world freedom libertad whatever
trustno trustme starwars pokemon naruto mario zelda minecraft fortnite roblox matrix gandalf
computer computadora laptop internet google facebook instagram twitter youtube windows linux
apple android samsung nokia iphone microsoft oracle cisco
january february march april may june july august september october november december
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
monday tuesday wednesday thursday friday saturday sunday lunes martes miercoles jueves viernes
sabado domingo red blue green black white orange purple silver golden yellow rojo azul verde
negro blanco maria jose juan carlos luis miguel pedro pablo antonio francisco alejandro fernando
jorge manuel sofia valentina camila daniela andrea carolina natalia gabriela isabella alberto
barcelona realmadrid madrid mexico argentina colombia chile peru ecuador espana america riverplate
boca chivas liverpool chelsea arsenal manchester juventus jesus christ jesucristo dios god heaven
family familia mother father madre padre mommy daddy mama papa baby bebe friend amigo forever
nothing flower flores rainbow chocolate cheese banana pizza coffee cafe beer money dinero
school escuela colegio universidad university student estudiante profesor teacher company empresa
office service server database system network gateway esclusa access acceso secure security
seguridad business cambiar cambiame nueva nuevo new inicio start enter abc abcd abcde abcdef
abcdefg abcdefgh abcabc aaa aaaa aaaaaa aaaaaaaa xxx xxxx zzz lol lolo merlin mustang ferrari
porsche corvette mercedes toyota honda yamaha suzuki camaro corona access biteme fuckyou fuck
asshole pussy sexy bitch dick shit
`;

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
  '€': 'e',
};

/** Characters beside a common word that make it no better. */
const DECORATION_MAX = 6;

/** Of the list, those that decoration makes no better (ASVS 6.2.4 asks for 3000). */
const LISTED_WORDS = 3000;
const LISTED_WORD_MIN = 4;

const COMMON: ReadonlySet<string> = new Set(WORDS.trim().split(/\s+/));

/**
 * Whether a password is one of the commonest, or such a word twice, decorated with a few
 * digits or signs, or with digits in the place of letters.
 */
export function isCommonPassword(password: string): boolean {
  const plain = password.toLowerCase().normalize('NFD').replaceAll(/\p{M}/gu, '');
  const bare = plain.replace(/[^a-z0-9]+$/, '');
  const listed = listedPasswords();
  return [plain, unLeet(plain), unLeet(bare)].some((text) => {
    if (listed.includes(text)) return true;
    const core = text.replaceAll(/^[^a-z]+|[^a-z]+$/g, '');
    const isPlain = plain.length - core.length <= DECORATION_MAX;
    const isWord = isCommonWord(core) || isListedWord(listed, core);
    return isDecorated(plain) || (isPlain && isWord);
  });
}

/** `123456789Aa`, `Aa12345678`: digits with the letters that a rule asked for. */
function isDecorated(plain: string): boolean {
  const digits = plain.replaceAll(/\D/g, '');
  const letters = plain.replaceAll(/[^a-z]/g, '');
  const isRun = '01234567890123456789'.includes(digits) || '98765432109876543210'.includes(digits);
  const isOneDigit = new Set(digits).size <= 2;
  return letters.length <= 3 && (isRun || isOneDigit);
}

function isListedWord(listed: readonly string[], core: string): boolean {
  const place = listed.indexOf(core);
  return core.length >= LISTED_WORD_MIN && place >= 0 && place < LISTED_WORDS;
}

function isCommonWord(core: string): boolean {
  if (COMMON.has(core)) return true;
  const half = core.slice(0, core.length / 2);
  if (half !== '' && core === half + half && COMMON.has(half)) return true;
  if (core.length >= 4 && new Set(core).size <= 2) return true;
  // Two of them in a row, such as `adminadmin`, `passwordlogin`, `holamundo`.
  for (let at = 3; at <= core.length - 3; at += 1) {
    if (COMMON.has(core.slice(0, at)) && COMMON.has(core.slice(at).replace(/^[^a-z]+/, ''))) {
      return true;
    }
  }
  return false;
}

function unLeet(text: string): string {
  return text.replaceAll(/[0134578@$!€]/g, (sign) => LEET[sign] ?? sign);
}
